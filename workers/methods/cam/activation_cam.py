"""The frame of every CAM that looks at a layer's activations alone: EigenCAM, KPCA-CAM, FEM.

Such a method is a module of its own that gives its formula for the maps to `explain`. One forward pass serves a whole batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from rendering.photo import Photo
from schemas.methods.cam.activation_params import ActivationCamParams
from schemas.methods.facts import Prediction
from workers.contract.arrays import Float32 as AnyFloat32
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import augmentation, cam_pictures, gradient_weighted_cam
from workers.methods.cam.cam_result import CamResult, places_of
from workers.methods.class_scores import top_predictions_of_inputs
from workers.methods.explained_target import without_class
from workers.methods.token_maps import to_map

ActivationFormula = Callable[[Float32[np.ndarray, "n h w k"]], Float32[np.ndarray, "n h w"]]
"""Activations become unscaled maps."""

batch_key = gradient_weighted_cam.cam_batch_key
# It stands for the class where an output has none. The head `none` says that it is no class of the model.
_NO_CLASS = Prediction(class_index=0, label="what dominates the layer", logit=0.0, probability=0.0, head="none")


def explain(probe: Probe, inputs: Inputs, params: Sequence[ActivationCamParams], formula: ActivationFormula) -> list[CamResult]:
    """Return one result for each job of a batch: the maps that `formula` makes of each layer's activations.

    The result names the top class, if the output has classes, but the map does not depend on it.
    """
    layers = params[0].layer_paths()
    places = places_of(probe, layers, inputs.tensor)
    has_classes = probe.description.head_at(params[0].output).classes is not None
    classes: list[Prediction] = []
    maps: dict[str, list[AnyFloat32]] = {layer: [] for layer in layers}
    for variant in augmentation.variants(params[0].augment):
        tensor, scores = variant.of(inputs.tensor), has_classes and not classes
        found = probe.forward(tensor, layers, scores=scores, output=params[0].output, precision=params[0].precision)
        if not classes:
            classes = top_predictions_of_inputs(probe.published, found, params[0].output) if has_classes else [_NO_CLASS] * len(params)
        for layer in layers:
            activations = to_map(found.activations[layer], probe.description, layer)
            maps[layer].append(variant.undone(formula(activations), places[layer], inputs.tensor.shape[2]))
    averaged = {layer: augmentation.averaged(own) for layer, own in maps.items()}
    return [
        CamResult({layer: averaged[layer][row : row + 1] for layer in layers}, places, (classes[row],), listed=False, fuse=job.fuse)
        for row, job in enumerate(params)
    ]


def draw(result: CamResult, photo: Photo, params: ActivationCamParams) -> Output:
    """Return the output of a CAM. The fields of the class are null in its facts if the model's output has no classes."""
    output = cam_pictures.draw(result, photo, params)
    return output if result.classes != (_NO_CLASS,) else replace(output, facts=without_class(output.facts))
