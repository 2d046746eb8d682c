"""Integrated gradients (Sundararajan et al., arXiv:1703.01365)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from rendering.photo import Photo
from schemas.methods.gradients.integrated_gradients import COMPLETENESS_TOLERANCE, IntegratedGradients, IntegratedGradientsFacts
from schemas.models import Preprocessing
from workers.contract.artifacts import Output
from workers.contract.colours import normalise
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.baselines import baseline
from workers.methods.class_scores import class_name, class_scores, target_predictions
from workers.methods.gradients import gradient_pictures
from workers.methods.gradients.input_attribution import InputAttribution, channel_sum
from workers.methods.gradients.summed_gradients import GradientSamples, add_gradients, as_slices
from workers.methods.previews import PreviewedSlices, input_photo, preview_on


@dataclass(frozen=True)
class IntegratedAttribution:
    """The result of integrated gradients.

    Attributes:
        attribution: the attributions and their maps.
        difference: for each class the score of the image minus the score of the baseline.
        attributed: for each class the sum of its attributions. With infinitely many steps it is equal to `difference`.
        steps: the number of gradients along the line.
    """

    attribution: InputAttribution
    difference: Float64[np.ndarray, " n"]
    attributed: Float64[np.ndarray, " n"]
    steps: int

    @property
    def maps(self) -> Float32[np.ndarray, "n H W"]:
        """The maps of the attributions."""
        return self.attribution.maps

    @property
    def errors(self) -> Float64[np.ndarray, " n"]:
        """For each class |attributed − difference| as a share of |difference|, or unscaled if the difference is 0."""
        return completeness_errors(self.attributed, self.difference)


def completeness_errors(attributed: Float64[np.ndarray, " n"], difference: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Return |attributed − difference| as a share of |difference|, or unscaled if the difference is 0."""
    return np.abs(attributed - difference) / np.where(difference == 0, 1, np.abs(difference))


def quadrature(rule: str, steps: int) -> tuple[Float64[np.ndarray, " steps"], Float64[np.ndarray, " steps"]]:
    """Return the points between 0 and 1 at which gradients are taken, and their weights. The weights sum to 1."""
    if rule == "trapezoid":
        weights = np.full(steps, 1 / (steps - 1))
        weights[[0, -1]] /= 2
        return np.linspace(0, 1, steps), weights
    points, weights = np.polynomial.legendre.leggauss(steps)
    return (points + 1) / 2, weights / 2


def baseline_input(
    image: Float32[np.ndarray, "H W C"], params: IntegratedGradients, preprocessing: Preprocessing
) -> Float32[np.ndarray, "H W C"]:
    """Return the baseline in the units of the model's input."""
    if params.baseline == "random":
        pixels = np.random.default_rng(params.seed).integers(0, 256, image.shape, np.uint8)
        return normalise(pixels, preprocessing)
    return baseline(params.baseline, image, preprocessing)


def run(probe: Probe, inputs: Inputs, params: IntegratedGradients) -> Generator[Slice, None, IntegratedAttribution]:
    """Return (x − x′)·Σ_i w_i·∂y/∂x(x′ + α_i·(x − x′)) with the baseline x′. The map is its sum over the channels.

    Without a number of steps, the sum is made anew with twice as many steps until the attributions add up.
    """
    (image,) = inputs.tensor
    preprocessing = probe.description.preprocessing
    start = baseline_input(image, params, preprocessing)
    line = image - start
    ends = probe.forward(np.stack([image, start]), scores=True, output=params.output, precision=params.precision)
    classes = target_predictions(probe, ends, params)
    scores = class_scores(ends, classes, params.score)
    difference = scores[0] - scores[1]
    sums = np.zeros((len(classes), *image.shape))
    photo = input_photo(inputs, preprocessing)

    def preview() -> np.ndarray:
        values = channel_sum((sums[:1] * line).astype(np.float32))[0]
        return preview_on(photo, values, part="heatmap", **gradient_pictures.signed_options(params))

    slices = PreviewedSlices(params.gradients() * len(classes), preview)
    done = steps = 0
    for steps in params.rounds():
        sums[:] = 0
        points, weights = quadrature(params.rule, steps)
        samples = GradientSamples(steps, lambda part, points=points: start + points[part, None, None, None].astype(np.float32) * line)
        yield from as_slices(add_gradients(probe, samples, weights, classes, params, sums=sums), slices, before=done)
        done += steps * len(classes)
        if completeness_errors((sums * line).sum(axis=(1, 2, 3)), difference).max() <= COMPLETENESS_TOLERANCE:
            break
    shares = sums * line
    attribution = InputAttribution(
        shares.astype(np.float32), shares.sum(axis=-1).astype(np.float32), classes, params.target_classes().listed, preprocessing
    )
    return IntegratedAttribution(attribution, difference, shares.sum(axis=(1, 2, 3)), steps)


def draw(result: IntegratedAttribution, photo: Photo, params: IntegratedGradients) -> Output:
    """Return the output of a signed map, with a warning if the attributions do not add up to the score's difference."""
    drawn = gradient_pictures.draw_signed(
        result.attribution,
        photo,
        params,
        IntegratedGradientsFacts,
        steps=result.steps,
        score_difference=tuple(result.difference.tolist()),
        attributed=tuple(result.attributed.tolist()),
        completeness_error=tuple(result.errors.tolist()),
    )
    return gradient_pictures.with_warnings(drawn, _incompleteness_warnings(result))


def _incompleteness_warnings(result: IntegratedAttribution) -> list[str]:
    pairs = zip(result.attribution.classes, result.errors.tolist(), strict=True)
    return [
        f"{class_name(scored)}: the sum of the attributions misses the score's difference by {error:.0%} of it. "
        f"Take more than {result.steps} `steps`."
        for scored, error in pairs
        if error > COMPLETENESS_TOLERANCE
    ]
