"""Saliency (Simonyan et al., arXiv:1312.6034)."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.methods.saliency import Saliency
from workers.interface import Inputs, Probe
from workers.methods.parts import gradients, gradients_picture

batch_key = gradients.score_batch_key
draw = gradients_picture.draw_magnitude


def run(probe: Probe, inputs: Inputs, params: Sequence[Saliency]) -> list[gradients.Attribution]:
    """∂y/∂x; as a map its largest absolute value over channels."""
    found = gradients.explain(probe, inputs, params, score=params[0].score)
    return [job.attribution(job.gradients, gradients.magnitude(job.gradients), probe) for job in found]
