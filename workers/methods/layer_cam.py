"""LayerCAM (Jiang et al., IEEE Transactions on Image Processing 30, 2021)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.layer_cam import LayerCam
from workers.interface import Inputs, Probe
from workers.methods.parts import cam, cam_picture

batch_key = cam.class_batch_key
draw = cam_picture.draw


def weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n h w k"]:
    """relu(∂y/∂A_k), position by position."""
    return np.maximum(gradients, 0)


def run(probe: Probe, inputs: Inputs, params: Sequence[LayerCam]) -> list[cam.Explanation]:
    return cam.explain(probe, inputs, params, weights)
