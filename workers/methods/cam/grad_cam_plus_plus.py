"""Grad-CAM++ (Chattopadhyay et al., arXiv:1710.11063)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.grad_cam_plus_plus import GradCamPlusPlus
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import cam_pictures, gradient_weighted_cam
from workers.methods.cam.cam_result import CamResult

batch_key = gradient_weighted_cam.class_cam_batch_key
draw = cam_pictures.draw


def weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n k"]:
    """Return Σ α·relu(G) with α = G² / (2G² + G³·ΣA) and sums over space. α is 0 if G is 0 or the denominator is 0.

    G² is cancelled in the formula, because G² and G³ of a small gradient are 0 in float32.
    """
    denominators = 2 + gradients * activations.sum(axis=(1, 2), keepdims=True)
    alphas = np.divide(1, denominators, out=np.zeros_like(gradients), where=(gradients > 0) & (denominators != 0))
    return np.einsum("nhwk,nhwk->nk", alphas, np.maximum(gradients, 0))


def run(probe: Probe, inputs: Inputs, params: Sequence[GradCamPlusPlus]) -> list[CamResult]:
    """Return one result for each job."""
    return gradient_weighted_cam.explain(probe, inputs, params, weights)
