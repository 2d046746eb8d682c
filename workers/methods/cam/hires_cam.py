"""HiResCAM (Draelos and Carin, arXiv:2011.08891)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.hires_cam import HiresCam
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import cam_pictures, gradient_weighted_cam
from workers.methods.cam.cam_result import CamResult

batch_key = gradient_weighted_cam.class_cam_batch_key
draw = cam_pictures.draw


def weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n h w k"]:
    """Return ∂y/∂A_k unchanged, one weight for each position."""
    return gradients


def run(probe: Probe, inputs: Inputs, params: Sequence[HiresCam]) -> list[CamResult]:
    """Return one result for each job."""
    return gradient_weighted_cam.explain(probe, inputs, params, weights)
