"""Rank the segments of an image by what they gain for their area (Kapishnikov et al., arXiv:1906.02825, algorithm 1)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int32

_VALUES_A_PART = 2**22  # sums over so many values of masks take about 30 ms


@dataclass(frozen=True)
class RankedRegions:
    """The regions of one map.

    Attributes:
        gains: the mean attribution of each position's region.
        ranks: the rank of each position's region, from 1 for the one that gains most.
    """

    gains: Float64[np.ndarray, "H W"]
    ranks: Int32[np.ndarray, "H W"]

    @property
    def count(self) -> int:
        """The number of regions."""
        return int(self.ranks.max())


def ranked_regions(
    attribution: Float64[np.ndarray, "H W"], segments: Bool[np.ndarray, "s H W"], *, min_pixels: int, area: float
) -> Generator[None, None, RankedRegions]:
    """Cover the image by segments, always the one whose new pixels have the largest mean attribution. Yield after each part of the work.

    The authors' code looks at all pixels of all segments in each turn. Here the sums over the uncovered part of each segment are kept, and
    what a turn covers is subtracted from them.

    Args:
        attribution: what each position adds to the score.
        segments: the segments, which overlap.
        min_pixels: a segment that would add fewer pixels is left out.
        area: it ends when more than this share of the image is covered. What is not covered becomes one region.
    """
    values, masks = attribution.ravel(), segments.reshape(len(segments), -1)
    covered = np.zeros(values.size, bool)
    counts, sums = np.zeros(len(masks), np.int64), np.zeros(len(masks))
    for number, mask in enumerate(masks):
        counts[number], sums[number] = mask.sum(), values[mask].sum()
        if (number + 1) * values.size % _VALUES_A_PART < values.size:
            yield
    regions: list[tuple[float, np.ndarray]] = []
    while covered.mean() <= area:
        possible = counts >= min_pixels
        if not possible.any():
            break
        best = int(np.where(possible, sums / np.maximum(counts, 1), -np.inf).argmax())
        new = np.flatnonzero(masks[best] & ~covered)
        regions.append((float(values[new].mean()), new))
        covered[new] = True
        for part in np.array_split(new, -(-len(masks) * len(new) // _VALUES_A_PART)):
            overlap = masks[:, part]
            counts, sums = counts - overlap.sum(axis=1), sums - overlap @ values[part]
            yield
        counts[best] = 0
    return _laid_out(values, regions, covered, attribution.shape)


def _laid_out(
    values: Float64[np.ndarray, " p"],
    regions: list[tuple[float, np.ndarray]],
    covered: Bool[np.ndarray, " p"],
    shape: tuple[int, ...],
) -> RankedRegions:
    """Return the gains and ranks of the regions. What no region covers comes last, with its own mean."""
    regions = sorted(regions, key=lambda region: -region[0])
    if not covered.all():
        regions.append((float(values[~covered].mean()), np.flatnonzero(~covered)))
    gains, ranks = np.empty(values.size), np.empty(values.size, np.int32)
    for rank, (gain, pixels) in enumerate(regions, 1):
        gains[pixels], ranks[pixels] = gain, rank
    return RankedRegions(gains.reshape(shape), ranks.reshape(shape))
