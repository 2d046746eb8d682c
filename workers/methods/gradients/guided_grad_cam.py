"""Guided Grad-CAM (Selvaraju et al., arXiv:1610.02391, section 3.2)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import cv2
import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.grad_cam import GradCam
from schemas.methods.gradients.guided_grad_cam import GuidedGradCam, GuidedGradCamFacts
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.methods.cam import grad_cam
from workers.methods.gradients import gradient_attribution, gradient_pictures
from workers.methods.gradients.guided_backprop import with_relu_warning


def batch_key(params: GuidedGradCam) -> Hashable:
    return params.layer, gradient_attribution.batch_key(params)


def run(probe: Probe, inputs: Inputs, params: Sequence[GuidedGradCam]) -> list[gradient_attribution.Attribution]:
    """Guided backpropagation, each position times Grad-CAM's map there, brought to the input's size."""
    guided = gradient_attribution.explain(probe, inputs, params, relu_rule="guided")
    cams = [
        GradCam(
            layer=job.layer,
            class_index=tuple(scored.class_index for scored in found.classes),
            sign=job.sign,
            output=job.output,
            precision=job.precision,
        )
        for job, found in zip(params, guided, strict=True)
    ]
    explained = grad_cam.run(probe, inputs, cams)
    values = [where(found.gradients, looked.maps) for found, looked in zip(guided, explained, strict=True)]
    return [found.attribution(own, gradient_attribution.magnitude(own), probe) for found, own in zip(guided, values, strict=True)]


def where(guided: Float32[np.ndarray, "n H W C"], maps: Float32[np.ndarray, "n h w"]) -> Float32[np.ndarray, "n H W C"]:
    """Their product, the maps enlarged (bilinear, half-pixel centres)."""
    size = (guided.shape[2], guided.shape[1])
    return np.stack([image * cv2.resize(m, size, interpolation=cv2.INTER_LINEAR)[..., None] for image, m in zip(guided, maps, strict=True)])


def draw(result: gradient_attribution.Attribution, photo: Photo, params: GuidedGradCam) -> Output:
    drawn = gradient_pictures.draw_colour(result, photo, params, GuidedGradCamFacts, layer=params.layer)
    return with_relu_warning(result, drawn)
