"""LIME (Ribeiro et al., arXiv:1602.04938), with the kernel, the samples and the ridge regression of the authors' package."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from jaxtyping import Bool, Float64

from rendering.photo import Photo
from schemas.methods.perturbation.lime import Lime, LimeFacts
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.perturbation import segment_scores
from workers.methods.perturbation.segment_scores import SegmentResult


def samples(count: int, segments: int, seed: int) -> Bool[np.ndarray, "b s"]:
    """Return which segments each sample shows. The first sample shows all, and each other one shows each segment with probability 0.5."""
    visible = np.random.default_rng(seed).random((count, segments)) < 0.5
    visible[0] = True
    return visible


def nearness(visible: Bool[np.ndarray, "b s"], width: float) -> Float64[np.ndarray, " b"]:
    """Return how much each sample counts: √exp(−d²/width²), where d is the cosine distance of the sample from the whole image."""
    shares = visible.mean(axis=1)
    distances = 1 - np.sqrt(shares)  # Σz / (√Σz · √s) = √(Σz / s)
    return np.sqrt(np.exp(-((distances / width) ** 2)))


def fitted(
    visible: Bool[np.ndarray, "b s"], scores: Float64[np.ndarray, "b n"], counts: Float64[np.ndarray, " b"], ridge: float
) -> tuple[Float64[np.ndarray, "n s"], Float64[np.ndarray, " n"]]:
    """Return the weights of a ridge regression with an intercept for each class, and its weighted R².

    Args:
        visible: which segments each sample shows.
        scores: the score of each class for each sample.
        counts: how much each sample counts.
        ridge: the factor of the squared weights. The intercept is not held down.
    """
    shares = counts / counts.sum()
    features, targets = visible - shares @ visible, scores - shares @ scores
    root = np.sqrt(counts)[:, None]
    rows = np.concatenate([features * root, np.sqrt(ridge) * np.eye(features.shape[1])])
    values = np.concatenate([targets * root, np.zeros((features.shape[1], scores.shape[1]))])
    weights = np.linalg.lstsq(rows, values)[0]
    residual = counts @ (targets - features @ weights) ** 2
    spread = counts @ targets**2
    fit = 1 - np.divide(residual, spread, out=np.ones_like(spread), where=spread > 0)
    return weights.T, fit


def run(probe: Probe, inputs: Inputs, params: Lime) -> Generator[Slice, None, SegmentResult]:
    """Fit the linear model to the scores of all samples, and return its weights."""
    sampled = yield from segment_scores.sampled_scores(
        probe, inputs, params, lambda segments: samples(params.samples, segments, params.seed)
    )
    visible, scores, counts = sampled.visible, sampled.scores, nearness(sampled.visible, params.kernel_width)
    weights, fit = fitted(visible, scores, counts, params.ridge)
    half = len(visible) // 2
    first, second = (fitted(visible[part], scores[part], counts[part], params.ridge)[0] for part in (slice(half), slice(half, None)))
    return segment_scores.laid_out(sampled, weights, (first, second), params, fit=tuple(fit.tolist()))


def draw(result: SegmentResult, photo: Photo, params: Lime) -> Output:
    """Return the output with red and blue segments, and the fit of the linear model in the facts."""
    return segment_scores.draw(result, photo, params, LimeFacts)
