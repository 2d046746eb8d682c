"""Recipro-CAM (Byun and Lee, arXiv:2209.14074)."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.recipro_cam import ReciproCam, blocks
from schemas.methods.facts import Prediction
from schemas.models import ModelDescription
from workers.contract.arrays import Float32 as AnyFloat32
from workers.contract.inputs import Inputs
from workers.contract.probe import Forward, Probe
from workers.contract.progress import Slice
from workers.methods.batch_sizes import batches
from workers.methods.cam import augmentation, cam_pictures
from workers.methods.cam.cam_result import CamResult, places_of
from workers.methods.class_scores import ROUNDING, class_scores, target_predictions

draw = cam_pictures.draw
_GAUSSIAN = np.outer([1, 2, 1], [1, 2, 1]).astype(np.float32) / 16


def position_masks(height: int, width: int, *, gaussian: bool) -> Float32[np.ndarray, "p h w"]:
    """Return one mask for each position of a map, or for each block of positions, row by row.

    A mask is 1 at its position and 0 elsewhere. With `gaussian` it is 1/4 there, 1/8 beside it and 1/16 at the corners, as far as these
    lie on the map.
    """
    kernel = _GAUSSIAN if gaussian else np.pad(np.ones((1, 1), np.float32), 1)
    masks = np.zeros((height, width, height + 2, width + 2), np.float32)
    for row in range(height):
        for column in range(width):
            masks[row, column, row : row + 3, column : column + 3] = kernel
    return masks[:, :, 1:-1, 1:-1].reshape(-1, height, width)


def enlarged(values: Float32[np.ndarray, "p rows columns"], side: int, size: tuple[int, int]) -> Float32[np.ndarray, "p h w"]:
    """Return values of blocks at every position of a map of `size` (height, width)."""
    return values.repeat(side, axis=1).repeat(side, axis=2)[:, : size[0], : size[1]]


def masked(
    activations: Float32[np.ndarray, "1 *place k"], masks: Float32[np.ndarray, "b h w"], model: ModelDescription, path: str
) -> Float32[np.ndarray, "b *place k"]:
    """Return the activations once for each mask, multiplied by it. Class tokens are kept as they are."""
    grid = model.layer_at(path).token_grid
    if activations.ndim == 4 or grid is None:
        return activations * masks[..., None]
    tokens = np.repeat(activations, len(masks), axis=0)
    tokens[:, grid.before : grid.before + grid.height * grid.width] *= masks.reshape(len(masks), -1, 1)
    return tokens


def run(probe: Probe, inputs: Inputs, params: ReciproCam) -> Generator[Slice, None, CamResult]:
    """Show each position of each layer to the rest of the network, and yield a slice after each pass."""
    layers = params.layer_paths()
    places, total = places_of(probe, layers, inputs.tensor), params.tries(probe.description)
    maps: dict[str, list[AnyFloat32]] = {layer: [] for layer in layers}
    classes: tuple[Prediction, ...] = ()
    done = 0
    for variant in augmentation.variants(params.augment):
        tensor = variant.of(inputs.tensor)
        found = probe.forward(tensor, layers, scores=True, output=params.output, precision=params.precision)
        classes = classes or target_predictions(probe, found, params)
        yield Slice(done, total)
        for layer in layers:
            own = yield from _maps_at(probe, tensor, layer, found, classes=classes, params=params, step=(done, total))
            done = min(total, done + min(own[0].size, params.max_positions))
            maps[layer].append(variant.undone(own, places[layer], tensor.shape[2]))
    averaged = {layer: augmentation.averaged(own) for layer, own in maps.items()}
    return CamResult(averaged, places, classes, params.target_classes().listed, params.fuse)


def _maps_at(
    probe: Probe,
    tensor: Float32[np.ndarray, "1 H W C"],
    layer: str,
    found: Forward,
    *,
    classes: tuple[Prediction, ...],
    params: ReciproCam,
    step: tuple[int, int],
) -> Generator[Slice, None, Float32[np.ndarray, "n h w"]]:
    """Return the map of each class at one layer: the scores minus their smallest one, because one position alone is never without a score.

    It is 0 if the class's score is the same at all positions, but for rounding.
    """
    activations = found.activations[layer]
    grid = probe.description.layer_at(layer).token_grid
    size = (grid.height, grid.width) if grid is not None else (activations.shape[1], activations.shape[2])
    side, rows, columns = blocks(*size, params.max_positions)
    masks = position_masks(rows, columns, gaussian=params.gaussian)
    done, total = step
    scores = np.empty((len(masks), len(classes)))
    for batch in batches(probe, (tensor.shape[1], tensor.shape[2]), len(masks)):
        alone = masked(activations, enlarged(masks[batch], side, size), probe.description, layer)
        passed = probe.scores_from(np.repeat(tensor, len(alone), axis=0), layer, alone, output=params.output, precision=params.precision)
        scores[batch] = class_scores(passed, classes, params.score)
        yield Slice(min(total, done + batch.stop), total)
    unchanged = np.ptp(scores, axis=0) <= ROUNDING * np.abs(scores).max(axis=0)
    values = np.where(unchanged, 0, scores - scores.min(axis=0)).astype(np.float32)
    return enlarged(values.T.reshape(len(classes), rows, columns), side, size)
