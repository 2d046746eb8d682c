"""LayerCAM (Jiang et al., IEEE Transactions on Image Processing 30, 2021)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.layer_cam import LayerCam
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import cam_pictures, gradient_weighted_cam
from workers.methods.cam.cam_result import CamResult

batch_key = gradient_weighted_cam.class_cam_batch_key
draw = cam_pictures.draw


def weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n h w k"]:
    """Return relu(∂y/∂A_k), one weight for each position."""
    return np.maximum(gradients, 0)


def run(probe: Probe, inputs: Inputs, params: Sequence[LayerCam]) -> list[CamResult]:
    """Return one result for each job."""
    return gradient_weighted_cam.explain(probe, inputs, params, weights)
