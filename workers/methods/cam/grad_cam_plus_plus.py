"""Grad-CAM++ (Chattopadhyay et al., arXiv:1710.11063)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.grad_cam_plus_plus import GradCamPlusPlus
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import cam_pictures, class_evidence

batch_key = class_evidence.class_batch_key
draw = cam_pictures.draw


def weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n k"]:
    """Σ α·relu(G) over space, with α = G² / (2G² + G³·ΣA) and ΣA over space; 0 where G = 0.

    G² is cancelled, so that α keeps its digits where G² and G³ have none left; where the denominator is 0 α is 0.
    """
    denominators = 2 + gradients * activations.sum(axis=(1, 2), keepdims=True)
    alphas = np.divide(1, denominators, out=np.zeros_like(gradients), where=(gradients > 0) & (denominators != 0))
    return np.einsum("nhwk,nhwk->nk", alphas, np.maximum(gradients, 0))


def run(probe: Probe, inputs: Inputs, params: Sequence[GradCamPlusPlus]) -> list[class_evidence.Explanation]:
    return class_evidence.explain(probe, inputs, params, weights)
