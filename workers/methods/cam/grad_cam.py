"""Grad-CAM (Selvaraju et al., arXiv:1610.02391), also as Chollet's book and a keras.io example draw it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float32

from rendering.photo import Photo
from schemas.methods.cam.grad_cam import GradCam
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import cam_pictures, gradient_weighted_cam
from workers.methods.cam.cam_result import CamResult


def weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n k"]:
    """Return the mean of ∂y/∂A_k over space (equation 1 of the paper)."""
    return gradients.mean(axis=(1, 2))


def mean_weights(activations: Float32[np.ndarray, "n h w k"], gradients: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n k"]:
    """Return the same weights divided by the number of channels.

    Chollet's book (Deep Learning with Python, 1st edition, 5.4.3) takes the mean over the channels where the paper has the sum.
    """
    return weights(activations, gradients) / np.float32(activations.shape[-1])


def batch_key(params: GradCam) -> Hashable:
    """Return the batch key of a CAM, and whether the preset needs the other weights."""
    return params.preset == "dlwp1", gradient_weighted_cam.class_cam_batch_key(params)


def run(probe: Probe, inputs: Inputs, params: Sequence[GradCam]) -> list[CamResult]:
    """Return one result for each job. The preset `dlwp1` differentiates the probability, as the book does."""
    if params[0].preset == "dlwp1":
        return gradient_weighted_cam.explain(probe, inputs, params, mean_weights, score="probability")
    return gradient_weighted_cam.explain(probe, inputs, params, weights)


def draw(result: CamResult, photo: Photo, params: GradCam) -> Output:
    """Return the output, drawn as the preset says."""
    if params.preset == "dlwp1":
        return cam_pictures.draw_with(result, photo, stretched=True, way="dlwp1")
    if params.preset == "keras_io":
        return cam_pictures.draw_with(result, photo, stretched=True, way="keras_io")
    return cam_pictures.draw(result, photo, params)
