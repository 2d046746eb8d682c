"""Rank the segments of an image by what they gain for their area (Kapishnikov et al., arXiv:1906.02825, algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int32


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
) -> RankedRegions:
    """Cover the image by segments, always the one whose new pixels have the largest mean attribution.

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
    counts, sums = masks.sum(axis=1), np.array([values[mask].sum() for mask in masks])
    regions: list[tuple[float, np.ndarray]] = []
    while covered.mean() <= area:
        possible = counts >= min_pixels
        if not possible.any():
            break
        best = int(np.where(possible, sums / np.maximum(counts, 1), -np.inf).argmax())
        new = np.flatnonzero(masks[best] & ~covered)
        regions.append((float(values[new].mean()), new))
        covered[new] = True
        overlap = masks[:, new]
        counts, sums = counts - overlap.sum(axis=1), sums - overlap @ values[new]
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
