"""Gradient × input (Shrikumar et al., arXiv:1605.01713)."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.methods.grad_x_input import GradXInput
from workers.interface import Inputs, Probe
from workers.methods.parts import gradients, gradients_picture

batch_key = gradients.score_batch_key
draw = gradients_picture.draw_signed


def run(probe: Probe, inputs: Inputs, params: Sequence[GradXInput]) -> list[gradients.Attribution]:
    """x·∂y/∂x, with x as the model gets it; as a map its sum over channels."""
    found = gradients.explain(probe, inputs, params, score=params[0].score)
    values = [image * job.gradients for image, job in zip(inputs.tensor, found, strict=True)]
    return [job.attribution(shares, gradients.total(shares), probe) for job, shares in zip(found, values, strict=True)]
