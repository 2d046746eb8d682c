"""Integrated gradients (Sundararajan et al., arXiv:1703.01365)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from rendering.photo import Photo
from schemas.methods.gradients.integrated_gradients import COMPLETENESS_TOLERANCE, IntegratedGradients, IntegratedGradientsFacts
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.class_scores import class_scores, target_predictions
from workers.methods.gradients import gradient_pictures
from workers.methods.gradients.completeness import CompleteAttribution, completeness_errors, draw_complete
from workers.methods.gradients.input_attribution import InputAttribution, channel_sum
from workers.methods.gradients.path_baselines import path_baseline
from workers.methods.gradients.summed_gradients import GradientSamples, add_gradients, as_slices
from workers.methods.previews import PreviewedSlices, input_photo, preview_on


@dataclass(frozen=True)
class IntegratedAttribution(CompleteAttribution):
    """The result of integrated gradients.

    Attributes:
        steps: the number of gradients along the line.
    """

    steps: int


def quadrature(rule: str, steps: int) -> tuple[Float64[np.ndarray, " steps"], Float64[np.ndarray, " steps"]]:
    """Return the points between 0 and 1 at which gradients are taken, and their weights. The weights sum to 1."""
    if rule == "trapezoid":
        weights = np.full(steps, 1 / (steps - 1))
        weights[[0, -1]] /= 2
        return np.linspace(0, 1, steps), weights
    points, weights = np.polynomial.legendre.leggauss(steps)
    return (points + 1) / 2, weights / 2


def run(probe: Probe, inputs: Inputs, params: IntegratedGradients) -> Generator[Slice, None, IntegratedAttribution]:
    """Return (x − x′)·Σ_i w_i·∂y/∂x(x′ + α_i·(x − x′)) with the baseline x′. The map is its sum over the channels.

    Without a number of steps, the sum is made anew with twice as many steps until the attributions add up.
    """
    (image,) = inputs.tensor
    preprocessing = probe.description.preprocessing
    start = path_baseline(params.baseline, image, preprocessing, params.seed)
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
    return draw_complete(
        result,
        photo,
        params,
        IntegratedGradientsFacts,
        tolerance=COMPLETENESS_TOLERANCE,
        advice=f"Take more than {result.steps} `steps`.",
        steps=result.steps,
    )
