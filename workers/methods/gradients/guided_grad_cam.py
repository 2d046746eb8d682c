"""Guided Grad-CAM (Selvaraju et al., arXiv:1610.02391, section 3.2)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float32

from rendering.photo import Photo
from schemas.methods.cam.grad_cam import GradCam
from schemas.methods.gradients.guided_grad_cam import GuidedGradCam, GuidedGradCamFacts
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.contract.probe import Probe
from workers.methods.cam import grad_cam
from workers.methods.gradients import class_gradients, gradient_pictures
from workers.methods.gradients.guided_backprop import with_relu_warning
from workers.methods.gradients.input_attribution import InputAttribution, largest_magnitude
from workers.methods.map_places import over_input


def batch_key(params: GuidedGradCam) -> Hashable:
    """Return the batch key of a gradient method, and the layer of Grad-CAM."""
    return params.layer, class_gradients.gradient_batch_key(params)


def run(probe: Probe, inputs: Inputs, params: Sequence[GuidedGradCam]) -> list[InputAttribution]:
    """Return guided backpropagation times Grad-CAM's map for each job. The map is its largest absolute value over the channels."""
    guided = class_gradients.class_gradients(probe, inputs, params, relu_rule="guided")
    cams = [
        GradCam(
            layer=job.layer,
            class_index=tuple(scored.class_index for scored in found.classes),
            output=job.output,
            precision=job.precision,
        )
        for job, found in zip(params, guided, strict=True)
    ]
    results = grad_cam.run(probe, inputs, cams)
    values = [weighted_by_map(found.gradients, result.maps, result.place) for found, result in zip(guided, results, strict=True)]
    return [found.attribution(own, largest_magnitude(own), probe) for found, own in zip(guided, values, strict=True)]


def weighted_by_map(
    guided: Float32[np.ndarray, "n H W C"], maps: Float32[np.ndarray, "n h w"], place: MapPlace
) -> Float32[np.ndarray, "n H W C"]:
    """Return the gradients times the maps, which are enlarged to the input's size (bilinear, half-pixel centres) where `place` says."""
    size = (guided.shape[1], guided.shape[2])
    return np.stack([image * over_input(m, place, size)[..., None] for image, m in zip(guided, maps, strict=True)])


def draw(result: InputAttribution, photo: Photo, params: GuidedGradCam) -> Output:
    """Return the output in colour, with a warning if no ReLU followed the rule."""
    drawn = gradient_pictures.draw_colour(result, photo, params, GuidedGradCamFacts, layer=params.layer)
    return with_relu_warning(result, drawn)
