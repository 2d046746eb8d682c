"""How many images one call of a compiled step should take, so that it neither holds the device for long nor fills its memory.

The answer depends on the graph alone and not on a clock: arithmetic differs in the last digit with the size of the batch, and
the same seed must give the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import tensorflow as tf

MOST_IMAGES = 64
MOST_BYTES = 2**30
CALL_SECONDS = 0.1  # on two cores; on one that is all a job has, a call still ends within a slice
# Measured on two cores (Zen 4, 16 images a call) with VGG16, which products bound, and EfficientNet-Lite0, which memory does:
# of a forward and a backward pass, within a tenth. A GPU is taken to be twenty times as fast.
PRODUCTS_PER_SECOND = 1.8e11
VALUES_PER_SECOND = 3e9
GPU_SPEEDUP = 20
PRODUCT_OPS = frozenset(["Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2", "Conv3D"])


def images_per_call(graph: Any) -> int:
    """For the `FuncGraph` of a compiled step whose first axis is the batch."""
    products = values = 0
    for operation in graph.get_operations():
        size = sum(_size(output) for output in operation.outputs)
        values += size
        if operation.type in PRODUCT_OPS:
            products += size * _products_per_value(operation)
    # The backward pass to the input costs as much as the forward pass.
    seconds = 2 * products / PRODUCTS_PER_SECOND + values / VALUES_PER_SECOND
    if tf.config.list_physical_devices("GPU"):
        seconds /= GPU_SPEEDUP
    fits = min(CALL_SECONDS / max(seconds, 1e-9), MOST_BYTES / max(4 * values, 1))
    return int(min(max(fits, 1), MOST_IMAGES))


def chunks(images: int, most: int) -> list[int]:
    """`images` as few sizes of at most `most`, as equal as can be."""
    count = -(-images // most)
    return [images // count + (index < images % count) for index in range(count)]


def _size(tensor: Any) -> int:
    """Values an image; 0 where it does not depend on the batch, or where the graph does not know."""
    shape = tensor.shape.as_list() if tensor.shape.rank else [1]
    return _product(shape[1:]) if shape[0] is None else 0


def _products_per_value(operation: Any) -> int:
    kernel = operation.inputs[1].shape.as_list() if operation.inputs[1].shape.rank else [None]
    return _product(kernel[:2] if operation.type == "DepthwiseConv2dNative" else kernel[:-1])


def _product(sides: Sequence[int | None]) -> int:
    """0 where a side is not known."""
    return prod(side or 0 for side in sides)
