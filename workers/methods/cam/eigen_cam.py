"""EigenCAM (Muhammad and Yeasin, arXiv:2008.00299)."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.methods.cam.eigen_cam import EigenCam
from schemas.methods.facts import Prediction
from workers.contract.arrays import Float32
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import augmentation, cam_maps, cam_pictures, gradient_weighted_cam
from workers.methods.cam.cam_result import CamResult, places_of
from workers.methods.class_scores import top_predictions_of_inputs
from workers.methods.token_maps import to_map

batch_key = gradient_weighted_cam.cam_batch_key
draw = cam_pictures.draw


def run(probe: Probe, inputs: Inputs, params: Sequence[EigenCam]) -> list[CamResult]:
    """Return the first principal component of each layer's activations, with both signs.

    The result names the top class, but the map does not depend on it.
    """
    layers = params[0].layer_paths()
    places = places_of(probe, layers, inputs.tensor)
    classes: list[Prediction] = []
    maps: dict[str, list[Float32]] = {layer: [] for layer in layers}
    for variant in augmentation.variants(params[0].augment):
        found = probe.forward(variant.of(inputs.tensor), layers, scores=not classes, output=params[0].output, precision=params[0].precision)
        classes = classes or top_predictions_of_inputs(probe.published, found, params[0].output)
        for layer in layers:
            activations = to_map(found.activations[layer], probe.description, layer)
            maps[layer].append(variant.undone(cam_maps.principal(activations), places[layer], inputs.tensor.shape[2]))
    averaged = {layer: augmentation.averaged(own) for layer, own in maps.items()}
    return [
        CamResult({layer: averaged[layer][row : row + 1] for layer in layers}, places, (classes[row],), listed=False, fuse=job.fuse)
        for row, job in enumerate(params)
    ]
