"""Choose how many inputs one pass of the model takes, so that a slow method does not hold the device for long."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from schemas.models import Layer, LayerKind, ModelDescription

# One forward pass may hold the device for this many seconds. The two speeds were measured for gradient ascent on a CPU. The size of
# a batch follows from the model and never from a clock: results differ in the last digit with the size of the batch, and a job that
# runs again must give the same map.
PASS_SECONDS = 0.15
PRODUCTS_PER_SECOND, VALUES_PER_SECOND = 1.8e11, 3e9
MAX_BATCH = 64
# If jobs ask for more classes than there are jobs in the batch, one gradient pass takes this many rows.
GRADIENT_ROWS = 8


def batches(model: ModelDescription, size: tuple[int, int], count: int) -> Iterator[slice]:
    """Yield slices that cover `count` inputs of `size` (height, width), each as long as one forward pass should be."""
    rows = batch_size(model, size)
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))


def batch_size(model: ModelDescription, size: tuple[int, int]) -> int:
    """Return how many inputs of `size` (height, width) one forward pass should take: 1 to 64."""
    seconds = 0.0
    for layer in model.layers:
        if layer.kind is LayerKind.MODEL:
            continue  # the layers inside a nested model are listed too
        positions = _positions(layer, size)
        seconds += layer.parameters * positions / PRODUCTS_PER_SECOND + positions * (layer.channels or 1) / VALUES_PER_SECOND
    return int(np.clip(PASS_SECONDS / max(seconds, 1e-9), 1, MAX_BATCH))


def gradient_batches(rows: int, jobs: int) -> Iterator[slice]:
    """Yield slices that cover `rows` rows (one for each class of each job), each as long as one gradient pass should be.

    The last slice may reach beyond the end.
    """
    step = max(GRADIENT_ROWS, jobs)
    for start in range(0, rows, step):
        yield slice(start, start + step)


def _positions(layer: Layer, size: tuple[int, int]) -> int:
    """Return at how many positions a layer's kernels are applied. Sides that the model leaves open follow from the layer's stride."""
    if len(layer.output_shape) != 3:
        return 1
    strides = layer.receptive_field.stride if layer.receptive_field else (1, 1)
    height, width = (side or max(1, given // step) for side, given, step in zip(layer.output_shape, size, strides, strict=False))
    return height * width
