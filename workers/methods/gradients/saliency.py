"""Saliency (Simonyan et al., arXiv:1312.6034)."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.methods.gradients.saliency import Saliency
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.gradients import gradient_attribution, gradient_pictures

batch_key = gradient_attribution.score_batch_key
draw = gradient_pictures.draw_magnitude


def run(probe: Probe, inputs: Inputs, params: Sequence[Saliency]) -> list[gradient_attribution.Attribution]:
    """∂y/∂x; as a map its largest absolute value over channels."""
    found = gradient_attribution.explain(probe, inputs, params, score=params[0].score)
    return [job.attribution(job.gradients, gradient_attribution.magnitude(job.gradients), probe) for job in found]
