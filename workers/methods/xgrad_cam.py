"""XGrad-CAM (Fu et al., Axiom-based Grad-CAM, arXiv:2008.02312)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.xgrad_cam import XgradCam
from workers.interface import Inputs, Probe
from workers.methods.parts import cam, cam_picture

batch_key = cam.class_batch_key
draw = cam_picture.draw

EPSILON = np.float32(1e-7)


def weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n k"]:
    """Σ(G·A) / (ΣA + ε) over space; 0 where the denominator is 0."""
    sums = activations.sum(axis=(1, 2)) + EPSILON
    return np.divide(np.einsum("nhwk,nhwk->nk", gradients, activations), sums, out=np.zeros_like(sums), where=sums != 0)


def run(probe: Probe, inputs: Inputs, params: Sequence[XgradCam]) -> list[cam.Explanation]:
    return cam.explain(probe, inputs, params, weights)
