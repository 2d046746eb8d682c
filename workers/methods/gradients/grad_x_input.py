"""Gradient × input (Shrikumar et al., arXiv:1605.01713)."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.methods.gradients.grad_x_input import GradXInput
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.gradients import gradient_attribution, gradient_pictures

batch_key = gradient_attribution.score_batch_key
draw = gradient_pictures.draw_signed


def run(probe: Probe, inputs: Inputs, params: Sequence[GradXInput]) -> list[gradient_attribution.Attribution]:
    """x·∂y/∂x, with x as the model gets it; as a map its sum over channels."""
    found = gradient_attribution.explain(probe, inputs, params, score=params[0].score)
    values = [image * job.gradients for image, job in zip(inputs.tensor, found, strict=True)]
    return [job.attribution(shares, gradient_attribution.total(shares), probe) for job, shares in zip(found, values, strict=True)]
