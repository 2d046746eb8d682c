"""Element-wise Grad-CAM, as in the package grad-cam (class `GradCAMElementWise`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.element_wise_cam import ElementWiseCam
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import cam_maps, cam_pictures, gradient_weighted_cam
from workers.methods.cam.cam_result import CamResult

batch_key = gradient_weighted_cam.class_cam_batch_key
draw = cam_pictures.draw


def products(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n h w k"]:
    """Return relu(∂y/∂A_k · A_k) for every channel and position."""
    return np.maximum(activations * gradients, 0)


def run(probe: Probe, inputs: Inputs, params: Sequence[ElementWiseCam]) -> list[CamResult]:
    """Return one result for each job: the sum of the products over the channels, or their first principal component."""
    return gradient_weighted_cam.explain_by_each(probe, inputs, params, [formula(eigen_smooth=params[0].eigen_smooth)])[0]


def formula(*, eigen_smooth: bool) -> gradient_weighted_cam.MapFormula:
    """Return the formula that adds the products up, or takes their first principal component."""

    def added(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n h w"]:
        each = products(activations, gradients)
        return np.maximum(cam_maps.principal(each), 0) if eigen_smooth else each.sum(axis=-1)

    return added
