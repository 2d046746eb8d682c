"""HiResCAM (Draelos and Carin, arXiv:2011.08891)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.hires_cam import HiresCam
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import cam_pictures, class_evidence

batch_key = class_evidence.class_batch_key
draw = cam_pictures.draw


def weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n h w k"]:
    """∂y/∂A_k as it is, position by position."""
    return gradients


def run(probe: Probe, inputs: Inputs, params: Sequence[HiresCam]) -> list[class_evidence.Explanation]:
    return class_evidence.explain(probe, inputs, params, weights)
