"""XGrad-CAM (Fu et al., Axiom-based Grad-CAM, arXiv:2008.02312)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.xgrad_cam import XgradCam
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import cam_pictures, gradient_weighted_cam
from workers.methods.cam.cam_result import CamResult

batch_key = gradient_weighted_cam.class_cam_batch_key
draw = cam_pictures.draw

EPSILON = np.float32(1e-7)


def weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n k"]:
    """Return Σ(G·A) / (ΣA + ε) with sums over space, and 0 if the denominator is 0."""
    sums = activations.sum(axis=(1, 2)) + EPSILON
    return np.divide(np.einsum("nhwk,nhwk->nk", gradients, activations), sums, out=np.zeros_like(sums), where=sums != 0)


def run(probe: Probe, inputs: Inputs, params: Sequence[XgradCam]) -> list[CamResult]:
    """Return one result for each job."""
    return gradient_weighted_cam.explain(probe, inputs, params, weights)
