"""Guided backpropagation (Springenberg et al., arXiv:1412.6806)."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.methods.gradients.guided_backprop import GuidedBackprop
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.methods.gradients import gradient_attribution, gradient_pictures

NO_RELU = "The model has no ReLU between its input and this output: guided backpropagation is the plain gradient here."

batch_key = gradient_attribution.batch_key


def run(probe: Probe, inputs: Inputs, params: Sequence[GuidedBackprop]) -> list[gradient_attribution.Attribution]:
    """∂logit/∂x with g·1[x > 0]·1[g > 0] at every ReLU; as a map its largest absolute value over channels."""
    found = gradient_attribution.explain(probe, inputs, params, relu_rule="guided")
    return [job.attribution(job.gradients, gradient_attribution.magnitude(job.gradients), probe) for job in found]


def draw(result: gradient_attribution.Attribution, photo: Photo, params: GuidedBackprop) -> Output:
    return with_relu_warning(result, gradient_pictures.draw_colour(result, photo, params))


def with_relu_warning(result: gradient_attribution.Attribution, output: Output) -> Output:
    return gradient_pictures.with_warnings(output, () if result.relus else (NO_RELU,))
