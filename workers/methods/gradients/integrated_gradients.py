"""Integrated gradients (Sundararajan et al., arXiv:1703.01365)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from schemas.methods.gradients.integrated_gradients import IntegratedGradients, IntegratedGradientsFacts
from schemas.models import Preprocessing
from workers.contract.artifacts import Output
from workers.contract.colours import input_to_rgb, normalise
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.baselines import baseline
from workers.methods.cam import cam_pictures
from workers.methods.class_scores import class_scores, classes_of
from workers.methods.gradients import gradient_attribution, gradient_pictures
from workers.methods.perturbation import masked_scores

# A share of the score's difference that the attributions miss, beyond which a warning says so.
COMPLETE = 0.05


@dataclass(frozen=True)
class Integrated:
    """`difference`: of each class, the score for the photo less that for the baseline. `attributed`: the sum of its attributions."""

    attribution: gradient_attribution.Attribution
    difference: Float64[np.ndarray, " n"]
    attributed: Float64[np.ndarray, " n"]

    @property
    def maps(self) -> Float32[np.ndarray, "n H W"]:
        return self.attribution.maps

    @property
    def errors(self) -> Float64[np.ndarray, " n"]:
        """What is missing or too much, as a share of the difference where there is one."""
        return np.abs(self.attributed - self.difference) / np.where(self.difference == 0, 1, np.abs(self.difference))


def quadrature(rule: str, steps: int) -> tuple[Float64[np.ndarray, " steps"], Float64[np.ndarray, " steps"]]:
    """Where between 0 and 1 gradients are taken, and their weights, which sum to 1."""
    if rule == "trapezoid":
        weights = np.full(steps, 1 / (steps - 1))
        weights[[0, -1]] /= 2
        return np.linspace(0, 1, steps), weights
    points, weights = np.polynomial.legendre.leggauss(steps)
    return (points + 1) / 2, weights / 2


def start_of(
    image: Float32[np.ndarray, "H W C"], params: IntegratedGradients, preprocessing: Preprocessing
) -> Float32[np.ndarray, "H W C"]:
    """The baseline in the model's input units."""
    if params.baseline == "random":
        pixels = np.random.default_rng(params.seed).integers(0, 256, image.shape, np.uint8)
        return normalise(pixels, preprocessing)
    return baseline(params.baseline, image, preprocessing)


def run(probe: Probe, inputs: Inputs, params: IntegratedGradients) -> Generator[Slice, None, Integrated]:
    """(x − x′)·Σ w_i ∂y/∂x(x′ + α_i (x − x′)); as a map its sum over channels."""
    (image,) = inputs.tensor
    preprocessing = probe.description.preprocessing
    start = start_of(image, params, preprocessing)
    way = image - start
    ends = probe.forward(np.stack([image, start]), scores=True, output=params.output, precision=params.precision)
    classes = classes_of(probe, ends, params)
    scores = class_scores(ends, classes, params.score, params.sign)
    sums = np.zeros((len(classes), *image.shape))
    shown = masked_scores.as_photo(input_to_rgb(image, preprocessing))

    def preview() -> np.ndarray:
        return gradient_pictures.signed(gradient_attribution.total((sums[:1] * way).astype(np.float32))[0], shown, params)[1]

    points, weights = quadrature(params.rule, params.steps)
    samples = gradient_attribution.Samples(params.steps, lambda part: start + points[part, None, None, None].astype(np.float32) * way)
    steps = gradient_attribution.summed(probe, samples, weights, classes, params, sums=sums)
    yield from gradient_attribution.reported(steps, masked_scores.Reports(params.steps * len(classes), preview))
    shares = sums * way
    values = shares.astype(np.float32)
    attribution = gradient_attribution.Attribution(
        values, shares.sum(axis=-1).astype(np.float32), classes, params.target_classes().listed, preprocessing
    )
    return Integrated(attribution, scores[0] - scores[1], shares.sum(axis=(1, 2, 3)))


def draw(result: Integrated, photo: Photo, params: IntegratedGradients) -> Output:
    drawn = gradient_pictures.draw_signed(
        result.attribution,
        photo,
        params,
        IntegratedGradientsFacts,
        score_difference=tuple(result.difference.tolist()),
        attributed=tuple(result.attributed.tolist()),
        completeness_error=tuple(result.errors.tolist()),
    )
    return gradient_pictures.with_warnings(drawn, _incomplete(result, params))


def _incomplete(result: Integrated, params: IntegratedGradients) -> list[str]:
    pairs = zip(result.attribution.classes, result.errors.tolist(), strict=True)
    return [
        f"{cam_pictures.named(scored)}: the attributions miss the score's difference by {error:.0%} of it; take more than "
        f"{params.steps} steps."
        for scored, error in pairs
        if error > COMPLETE
    ]
