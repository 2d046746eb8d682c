"""Guided backpropagation (Springenberg et al., arXiv:1412.6806)."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.methods.guided_backprop import GuidedBackprop
from workers.interface import Inputs, Output, Photo, Probe
from workers.methods.parts import gradients, gradients_picture

NO_RELU = "The model has no ReLU between its input and this output: guided backpropagation is the plain gradient here."

batch_key = gradients.batch_key


def run(probe: Probe, inputs: Inputs, params: Sequence[GuidedBackprop]) -> list[gradients.Attribution]:
    """∂logit/∂x with g·1[x > 0]·1[g > 0] at every ReLU; as a map its largest absolute value over channels."""
    found = gradients.explain(probe, inputs, params, relu_rule="guided")
    return [job.attribution(job.gradients, gradients.magnitude(job.gradients), probe) for job in found]


def draw(result: gradients.Attribution, photo: Photo, params: GuidedBackprop) -> Output:
    return with_relu_warning(result, gradients_picture.draw_colour(result, photo, params))


def with_relu_warning(result: gradients.Attribution, output: Output) -> Output:
    return gradients_picture.with_warnings(output, () if result.relus else (NO_RELU,))
