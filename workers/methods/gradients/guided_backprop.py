"""Guided backpropagation (Springenberg et al., arXiv:1412.6806)."""

from __future__ import annotations

from collections.abc import Sequence

from rendering.photo import Photo
from schemas.methods.gradients.guided_backprop import GuidedBackprop
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.gradients import class_gradients, gradient_pictures
from workers.methods.gradients.input_attribution import InputAttribution, largest_magnitude

NO_RELU = "The model has no ReLU between its input and this output, so guided backpropagation gives the plain gradient."

batch_key = class_gradients.gradient_batch_key


def run(probe: Probe, inputs: Inputs, params: Sequence[GuidedBackprop]) -> list[InputAttribution]:
    """Return ∂logit/∂x for each job, where every ReLU hands back g·1[x > 0]·1[g > 0] of a gradient g.

    The map is its largest absolute value over the channels.
    """
    found = class_gradients.class_gradients(probe, inputs, params, relu_rule="guided")
    return [job.attribution(job.gradients, largest_magnitude(job.gradients), probe) for job in found]


def draw(result: InputAttribution, photo: Photo, params: GuidedBackprop) -> Output:
    """Return the output in colour, with a warning if no ReLU followed the rule."""
    return with_relu_warning(result, gradient_pictures.draw_colour(result, photo, params))


def with_relu_warning(result: InputAttribution, output: Output) -> Output:
    """Return the output with a warning if no ReLU followed the rule of guided backpropagation."""
    return gradient_pictures.with_warnings(output, () if result.relus else (NO_RELU,))
