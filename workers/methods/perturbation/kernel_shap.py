"""KernelSHAP (Lundberg and Lee, arXiv:1705.07874) with paired samples (Covert and Lee, arXiv:2012.01536)."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from jaxtyping import Bool, Float64
from scipy.special import comb

from rendering.photo import Photo
from schemas.methods.perturbation.kernel_shap import KernelShap, KernelShapFacts
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.perturbation import segment_scores
from workers.methods.perturbation.segment_scores import SegmentResult

_EXACT_UP_TO = 16  # segments; 2¹⁶ combinations are more than a job may try


def all_of(segments: int) -> Bool[np.ndarray, "b s"]:
    """Return every combination of segments. The first shows none, and the last shows all."""
    numbers = np.arange(2**segments)
    return (numbers[:, None] >> np.arange(segments)) & 1 == 1


def sampled(count: int, segments: int, seed: int) -> Bool[np.ndarray, "b s"]:
    """Return combinations of segments, drawn in proportion to the Shapley kernel. The first shows none, and the last shows all.

    A combination with k visible segments of s has the kernel's weight (s − 1) / (C(s, k) · k · (s − k)), so its size k is drawn in
    proportion to 1 / (k · (s − k)), and the segments are then drawn at random. Each combination is followed by its opposite, which
    takes the largest part of the sampling error away.
    """
    rng = np.random.default_rng(seed)
    sizes = np.arange(1, segments)
    chances = 1 / (sizes * (segments - sizes))
    drawn = rng.choice(sizes, size=max(1, (count - 2) // 2), p=chances / chances.sum())
    ranks = rng.random((len(drawn), segments)).argsort(axis=1).argsort(axis=1)
    visible = ranks < drawn[:, None]
    pairs = np.stack([visible, ~visible], axis=1).reshape(-1, segments)
    return np.concatenate([np.zeros((1, segments), bool), pairs, np.ones((1, segments), bool)])


def combinations(count: int, segments: int, seed: int) -> Bool[np.ndarray, "b s"]:
    """Return all combinations if they are at most `count`, and otherwise a sample of them."""
    tries_all = segments == 1 or (segments <= _EXACT_UP_TO and 2**segments <= count)
    return all_of(segments) if tries_all else sampled(count, segments, seed)


def kernel(visible: Bool[np.ndarray, "b s"]) -> Float64[np.ndarray, " b"]:
    """Return how much each combination counts. If all were tried, this is the Shapley kernel; sampled ones count alike."""
    _, segments = visible.shape
    if len(visible) != 2**segments:
        return np.ones(len(visible))
    sizes = visible.sum(axis=1)
    between = (sizes > 0) & (sizes < segments)
    counts = np.zeros(len(visible))
    counts[between] = (segments - 1) / (comb(segments, sizes[between]) * sizes[between] * (segments - sizes[between]))
    return counts


def shapley_values(
    visible: Bool[np.ndarray, "b s"], scores: Float64[np.ndarray, "b n"], counts: Float64[np.ndarray, " b"]
) -> Float64[np.ndarray, "n s"]:
    """Return the values of a weighted regression whose values sum to the score of all segments minus that of none.

    Args:
        visible: which segments each combination shows: none in the first, all in the last.
        scores: the score of each class for each combination.
        counts: how much each combination counts.
    """
    none, whole = scores[0], scores[-1]
    # The last value is the difference minus all others, so the regression has one unknown less and no side condition.
    last = visible[:, -1:].astype(np.float64)
    root = np.sqrt(counts)[:, None]
    others = np.linalg.lstsq((visible[:, :-1] - last) * root, (scores - none - last * (whole - none)) * root)[0]
    return np.concatenate([others, (whole - none - others.sum(axis=0))[None]]).T


def half_values(
    visible: Bool[np.ndarray, "b s"], scores: Float64[np.ndarray, "b n"]
) -> tuple[Float64[np.ndarray, "n s"], Float64[np.ndarray, "n s"]]:
    """Return the Shapley values from one half of the sampled pairs alone, and those from the other half.

    The combinations that show none and all stand in both halves. Arguments are those of `shapley_values`.
    """
    pairs = (len(visible) - 2) // 2
    middle = 1 + 2 * (pairs // 2)
    halves = [np.r_[0:middle, len(visible) - 1], np.r_[0, middle : len(visible)]]
    first, second = (shapley_values(visible[rows], scores[rows], np.ones(len(rows))) for rows in halves)
    return first, second


def run(probe: Probe, inputs: Inputs, params: KernelShap) -> Generator[Slice, None, SegmentResult]:
    """Show the model the combinations of segments, and return the Shapley value of each segment."""
    found = yield from segment_scores.sampled_scores(
        probe, inputs, params, lambda segments: combinations(params.samples, segments, params.seed)
    )
    values = shapley_values(found.visible, found.scores, kernel(found.visible))
    exact = len(found.visible) == 2 ** found.visible.shape[1]
    return segment_scores.laid_out(
        found,
        values,
        None if exact else half_values(found.visible, found.scores),
        params,
        base_scores=tuple(found.scores[0].tolist()),
        whole_scores=tuple(found.scores[-1].tolist()),
        exact=exact,
    )


def draw(result: SegmentResult, photo: Photo, params: KernelShap) -> Output:
    """Return the output with red and blue segments, and the two scores in the facts."""
    return segment_scores.draw(result, photo, params, KernelShapFacts)
