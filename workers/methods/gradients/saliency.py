"""Saliency (Simonyan et al., arXiv:1312.6034)."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.methods.gradients.saliency import Saliency
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.gradients import class_gradients, gradient_pictures
from workers.methods.gradients.input_attribution import InputAttribution, largest_magnitude

batch_key = class_gradients.score_batch_key
draw = gradient_pictures.draw_magnitude


def run(probe: Probe, inputs: Inputs, params: Sequence[Saliency]) -> list[InputAttribution]:
    """Return ∂y/∂x for each job. The map is its largest absolute value over the channels."""
    found = class_gradients.class_gradients(probe, inputs, params, score=params[0].score)
    return [job.attribution(job.gradients, largest_magnitude(job.gradients), probe) for job in found]
