"""Excitation backpropagation (Zhang et al., arXiv:1608.00507)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

from schemas.methods.relevance.excitation_backprop import ExcitationBackprop
from workers.contract.arrays import Float32 as AnyFloat32
from workers.contract.inputs import Inputs
from workers.contract.probe import LayerGradients, Probe
from workers.contract.relevance import InputRange, RelevanceRules
from workers.methods.cam import cam_pictures, gradient_weighted_cam
from workers.methods.cam.cam_result import CamResult

draw = cam_pictures.draw

_EXCITATION = RelevanceRules("excitation", "excitation", starts_with_one=True)


def probability_map(_: Float32[np.ndarray, "n h w k"], probabilities: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n h w"]:
    """Return the sum of the probabilities over the channels. Below 0, where the negated class wins, it is 0."""
    return np.maximum(probabilities.sum(axis=-1), 0)


def batch_key(params: ExcitationBackprop) -> Hashable:
    """Return the batch key: jobs that differ only in their classes or their drawing run as one batch."""
    return gradient_weighted_cam.cam_batch_key(params), params.contrastive


def run(probe: Probe, inputs: Inputs, params: Sequence[ExcitationBackprop]) -> list[CamResult]:
    """Return one result for each job.

    Raises:
        UnsuitableLayer: a layer between the score and the target layer has no rule, or the model has no logits.
        NoGradient: the score is not computed from the layer.
        NonFinite: activations, probabilities or scores are not finite.
    """
    rules = replace(_EXCITATION, last="contrast" if params[0].contrastive else None)

    def excitations(tensor: AnyFloat32, layer: str, class_indices: NDArray[np.int32]) -> LayerGradients:
        found = probe.relevances(tensor, class_indices, replace(rules, until=layer), InputRange(tensor, tensor), output=params[0].output)
        return LayerGradients(found.relevances, found.relevances, found.logits, found.probabilities, found.class_indices)

    return gradient_weighted_cam.explain_by_each(probe, inputs, params, [probability_map], layer_pass=excitations)[0]
