"""Gradient × input (Shrikumar et al., arXiv:1605.01713)."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.methods.gradients.grad_x_input import GradXInput
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.gradients import class_gradients, gradient_pictures
from workers.methods.gradients.input_attribution import InputAttribution, channel_sum

batch_key = class_gradients.score_batch_key
draw = gradient_pictures.draw_signed


def run(probe: Probe, inputs: Inputs, params: Sequence[GradXInput]) -> list[InputAttribution]:
    """Return x·∂y/∂x for each job, where x is the model's input. The map is its sum over the channels."""
    found = class_gradients.class_gradients(probe, inputs, params, score=params[0].score)
    values = [image * job.gradients for image, job in zip(inputs.tensor, found, strict=True)]
    return [job.attribution(shares, channel_sum(shares), probe) for job, shares in zip(found, values, strict=True)]
