"""Grad-CAM (Selvaraju et al., arXiv:1610.02391), and as two well-known sources draw it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.grad_cam import GradCam
from workers.interface import Inputs, Output, Photo, Probe
from workers.methods import cam
from workers.rendering import overlay


def grad_cam(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n h w"]:
    """relu Σ_k w_k·A_k with w_k the mean of ∂y/∂A_k over space; unscaled."""
    weights = gradients.mean(axis=(1, 2))
    return np.maximum(np.einsum("nhwk,nk->nhw", activations, weights), 0)


def grad_cam_mean(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n h w"]:
    """The same with the mean over channels where the paper has the sum (dlwp1)."""
    return grad_cam(activations, gradients) / np.float32(activations.shape[-1])


def batch_key(params: GradCam) -> Hashable:
    return params.preset == "dlwp1", cam.batch_key(params)


def run(probe: Probe, inputs: Inputs, params: Sequence[GradCam]) -> list[cam.Explanation]:
    if params[0].preset == "dlwp1":
        return cam.explain(probe, inputs, params, grad_cam_mean, score="probability")
    return cam.explain(probe, inputs, params, grad_cam)


def draw(result: cam.Explanation, photo: Photo, params: GradCam) -> Output:
    if params.preset == "dlwp1":
        return cam.draw(result, photo, overlay.as_dlwp1)
    if params.preset == "keras_io":
        return cam.draw(result, photo, overlay.as_keras_io)
    return cam.draw(result, photo, lambda heat, shown: overlay.blended(heat, shown, params.colormap, params.alpha))
