"""Estimate what a pass of a model costs, and choose how many inputs one pass takes.

A pass should hold the device for about a tenth of a second, and its activations must fit in memory. The number follows from the model
and from the measured speed of the device, which is the same as long as the process lives. So a job that runs again gives the same result
to the last digit; on a device of another speed, it may differ by rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.models import Layer, LayerKind
from workers.engine.attention_sizes import AttentionSize
from workers.engine.device_speed import DeviceSpeed

# Measured on two cores (Zen 4, 16 images a call), within a factor of 2 for EfficientNet-Lite0, ResNet50 and VGG16.
PRODUCTS_PER_SECOND = 1.8e11
VALUES_PER_SECOND = 3e9
FORWARDS_PER_GRADIENT = 3  # a pass with its gradient takes about as long as this many forward passes

PASS_SECONDS = 0.1
MOST_INPUTS = 256
FORWARD_BYTES = 2**30  # a forward pass holds the layer at work with what it reads and writes, here three times the largest layer
GRADIENT_BYTES = 2**32  # a pass with its gradient keeps the activations of all layers
BYTES_PER_VALUE = 4


@dataclass(frozen=True)
class PassCost:
    """The cost of one input in a forward pass: products of two numbers, values of all layers, and values of the largest layer."""

    products: int
    values: int
    largest: int

    def inputs(self, speed: DeviceSpeed, *, gradient: bool) -> int:
        """Return how many inputs one pass takes on a device of this speed, 1 to 256, with its gradient or without."""
        seconds = self.products / (PRODUCTS_PER_SECOND * speed.products) + self.values / (VALUES_PER_SECOND * speed.values)
        size, room = (self.values, GRADIENT_BYTES) if gradient else (3 * self.largest, FORWARD_BYTES)
        fits_time = PASS_SECONDS / max(seconds * (FORWARDS_PER_GRADIENT if gradient else 1), 1e-9)
        fits_memory = room / max(size * BYTES_PER_VALUE, 1)
        return int(min(max(fits_time, 1), max(fits_memory, 1), MOST_INPUTS))


def pass_cost(layers: Sequence[Layer], size: tuple[int, int], attention: Sequence[AttentionSize] = ()) -> PassCost:
    """Return the cost of an input of `size` (height, width). Sides that a model leaves open follow from the layers' strides.

    Args:
        layers: the layers of the model.
        size: height and width of the input.
        attention: the attention matrices of each call that attends. They cost in addition to the layers' weights and outputs.
    """
    products, values, largest = 0, size[0] * size[1], size[0] * size[1]
    for layer in layers:
        if layer.kind is LayerKind.MODEL:
            continue  # the layers inside a nested model are listed too
        positions = _positions(layer, size)
        layer_values = positions * (layer.channels or 1)
        products += layer.parameters * positions
        values += layer_values
        largest = max(largest, layer_values)
    products += sum(each.products for each in attention)
    values += sum(each.values for each in attention)
    return PassCost(products, values, max([largest, *(each.values for each in attention)]))


def _positions(layer: Layer, size: tuple[int, int]) -> int:
    """Return at how many positions a layer's kernels are applied."""
    if len(layer.output_shape) != 3:
        return 1
    strides = layer.receptive_field.stride if layer.receptive_field else (1, 1)
    height, width = (side or max(1, int(given / abs(step))) for side, given, step in zip(layer.output_shape, size, strides, strict=False))
    return height * width
