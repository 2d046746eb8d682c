"""HiResCAM (Draelos and Carin, arXiv:2011.08891)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.hires_cam import HiresCam
from workers.interface import Inputs, Probe
from workers.methods.parts import cam, cam_picture

batch_key = cam.class_batch_key
draw = cam_picture.draw


def weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n h w k"]:
    """∂y/∂A_k as it is, position by position."""
    return gradients


def run(probe: Probe, inputs: Inputs, params: Sequence[HiresCam]) -> list[cam.Explanation]:
    return cam.explain(probe, inputs, params, weights)
