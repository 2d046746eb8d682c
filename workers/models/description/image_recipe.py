"""The recipe that gives a model an input for images, for the error of a model that has none."""

from __future__ import annotations

import math
from collections.abc import Sequence

_IMAGE_RANK = 3  # (height, width, channels)


def image_recipe(shape: Sequence[int | None]) -> str:
    """Return a sentence with the lines of Python that put an input for images before a model, or nothing if no such lines are known.

    Args:
        shape: the shape of the model's input without the batch axis.
    """
    image = _image_shape(shape)
    if image is None:
        return ""
    reads = "photo" if image == tuple(shape) or len(shape) == _IMAGE_RANK else f"keras.layers.Reshape({tuple(shape)})(photo)"
    return (
        f" Give it an input that is an image, and save it again: `photo = keras.Input({image}); "
        f"keras.Model(photo, model({reads})).save('with_photo.keras')`."
    )


def _image_shape(shape: Sequence[int | None]) -> tuple[int, int, int] | None:
    """Return the shape of an image with as many values as the input, or None if a size is free or no image suits."""
    if len(shape) == _IMAGE_RANK and shape[2] is None and shape[0] is not None and shape[1] is not None:
        return shape[0], shape[1], 3
    sizes = [size for size in shape if size is not None]
    if len(sizes) < len(shape):
        return None
    if len(sizes) == 4:  # images one after the other lie one below the other
        return sizes[0] * sizes[1], sizes[2], sizes[3]
    if len(sizes) == 2:
        return sizes[0], sizes[1], 1
    if len(sizes) == 1:
        for channels in (1, 3):
            side = math.isqrt(sizes[0] // channels)
            if side * side * channels == sizes[0]:
                return side, side, channels
    return None
