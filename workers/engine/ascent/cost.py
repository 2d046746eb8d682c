"""Choose how many images one call of a compiled step takes, so that it neither holds the device for long nor fills its memory.

The number depends on the graph and on the measured speed of the device, which is the same as long as the process lives, and not on the
time of a call: the last digit of a result differs with the size of the batch, and the same seed must give the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from workers.engine.cost import PRODUCTS_PER_SECOND, VALUES_PER_SECOND
from workers.engine.device_speed import DeviceSpeed

MOST_IMAGES = 64
MOST_BYTES = 2**30
CALL_SECONDS = 0.05  # this is an estimate; a fast job waits until the call that is on the device has ended
PRODUCT_OPS = frozenset(["Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2", "Conv3D"])


def images_per_call(graph: Any, speed: DeviceSpeed) -> int:
    """Return the number of images for one call, 1 to 64, of a compiled step whose first axis is the batch.

    Args:
        graph: the `FuncGraph` of the step.
        speed: that of the device on which the step runs.
    """
    products = values = 0
    for operation in graph.get_operations():
        size = sum(_values_per_image(output) for output in operation.outputs)
        values += size
        if operation.type in PRODUCT_OPS:
            products += size * _products_per_value(operation)
    # The backward pass to the input costs as much as the forward pass. The lower speed counts: with one for each term, calls were too
    # long on a machine with faster memory than the reference, and a Grad-CAM beside a synthesis waited 1.5 times as long.
    seconds = (2 * products / PRODUCTS_PER_SECOND + values / VALUES_PER_SECOND) / min(speed.products, speed.values)
    fits = min(CALL_SECONDS / max(seconds, 1e-9), MOST_BYTES / max(4 * values, 1))
    return int(min(max(fits, 1), MOST_IMAGES))


def even_chunks(images: int, most: int) -> list[int]:
    """Return `images` as the fewest sizes of at most `most`, which differ by at most 1; 9 images by at most 8 are [5, 4]."""
    count = -(-images // most)
    return [images // count + (index < images % count) for index in range(count)]


def _values_per_image(tensor: Any) -> int:
    """Return the number of values for one image, or 0 if it does not depend on the batch or the graph does not know it."""
    shape = tensor.shape.as_list() if tensor.shape.rank else [1]
    return _product(shape[1:]) if shape[0] is None else 0


def _products_per_value(operation: Any) -> int:
    kernel = operation.inputs[1].shape.as_list() if operation.inputs[1].shape.rank else [None]
    return _product(kernel[:2] if operation.type == "DepthwiseConv2dNative" else kernel[:-1])


def _product(sides: Sequence[int | None]) -> int:
    """Return the product, or 0 if a side is not known."""
    return prod(side or 0 for side in sides)
