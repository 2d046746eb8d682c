"""LayerCAM (Jiang et al., IEEE Transactions on Image Processing 30, 2021)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.layer_cam import LayerCam
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import cam_pictures, class_evidence

batch_key = class_evidence.class_batch_key
draw = cam_pictures.draw


def weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n h w k"]:
    """relu(∂y/∂A_k), position by position."""
    return np.maximum(gradients, 0)


def run(probe: Probe, inputs: Inputs, params: Sequence[LayerCam]) -> list[class_evidence.Explanation]:
    return class_evidence.explain(probe, inputs, params, weights)
