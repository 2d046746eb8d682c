"""Grad-CAM (Selvaraju et al., arXiv:1610.02391), and as two well-known sources draw it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.grad_cam import GradCam
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.methods.cam import cam_pictures, class_evidence
from workers.rendering.overlays.dlwp1 import draw_as_dlwp1
from workers.rendering.overlays.keras_io import draw_as_keras_io


def weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n k"]:
    """The mean of ∂y/∂A_k over space."""
    return gradients.mean(axis=(1, 2))


def mean_weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n k"]:
    """The same for a map with the mean over channels where the paper has the sum (dlwp1)."""
    return weights(activations, gradients) / np.float32(activations.shape[-1])


def batch_key(params: GradCam) -> Hashable:
    return params.preset == "dlwp1", class_evidence.class_batch_key(params)


def run(probe: Probe, inputs: Inputs, params: Sequence[GradCam]) -> list[class_evidence.Explanation]:
    if params[0].preset == "dlwp1":
        return class_evidence.explain(probe, inputs, params, mean_weights, score="probability")
    return class_evidence.explain(probe, inputs, params, weights)


def draw(result: class_evidence.Explanation, photo: Photo, params: GradCam) -> Output:
    if params.preset == "dlwp1":
        return cam_pictures.draw_by(result, photo, draw_as_dlwp1)
    if params.preset == "keras_io":
        return cam_pictures.draw_by(result, photo, draw_as_keras_io)
    return cam_pictures.draw(result, photo, params)
