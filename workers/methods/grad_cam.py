"""Grad-CAM (Selvaraju et al., arXiv:1610.02391), and as two well-known sources draw it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.grad_cam import GradCam
from workers.interface import Inputs, Output, Photo, Probe
from workers.methods.parts import cam, cam_picture
from workers.rendering import overlay


def weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n k"]:
    """The mean of ∂y/∂A_k over space."""
    return gradients.mean(axis=(1, 2))


def mean_weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n k"]:
    """The same for a map with the mean over channels where the paper has the sum (dlwp1)."""
    return weights(activations, gradients) / np.float32(activations.shape[-1])


def batch_key(params: GradCam) -> Hashable:
    return params.preset == "dlwp1", cam.class_batch_key(params)


def run(probe: Probe, inputs: Inputs, params: Sequence[GradCam]) -> list[cam.Explanation]:
    if params[0].preset == "dlwp1":
        return cam.explain(probe, inputs, params, mean_weights, score="probability")
    return cam.explain(probe, inputs, params, weights)


def draw(result: cam.Explanation, photo: Photo, params: GradCam) -> Output:
    if params.preset == "dlwp1":
        return cam_picture.draw_by(result, photo, overlay.as_dlwp1)
    if params.preset == "keras_io":
        return cam_picture.draw_by(result, photo, overlay.as_keras_io)
    return cam_picture.draw(result, photo, params)
