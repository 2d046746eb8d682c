"""A photo, and its place in the model's input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Placement:
    """The place of the photo in the model's input. It serves to bring a map over the input back onto the photo.

    With `fit` stretch, all of the photo fills all of the input. With crop, a part of the photo fills all of the input. With letterbox,
    all of the photo fills a part of the input. For a map that does not lie over the whole input, the area that it lies over takes the
    place of the input, and a part of the photo can lie beyond it.

    Attributes:
        input_size: height and width of the input, in pixels.
        box: top, left, height and width of the area of the input that the photo fills, in pixels of the input.
        source: top, left, height and width of the part of the photo that fills this area, in pixels of the photo.
        mirrored: whether the rows and the columns of a map are in the opposite order of the photo's.
    """

    input_size: tuple[float, float]
    box: tuple[float, float, float, float]
    source: tuple[float, float, float, float]
    mirrored: tuple[bool, bool] = (False, False)


@dataclass(frozen=True)
class Photo:
    """The caller's image as decoded, uint8 RGB (H, W, 3), and where it lies in the model's input."""

    image: NDArray[np.uint8]
    placement: Placement


def whole_photo(image: NDArray[np.uint8]) -> Photo:
    """Return a photo, uint8 RGB (H, W, 3), that lies in no model's input: its placement maps the photo to itself."""
    height, width = image.shape[:2]
    return Photo(image, Placement((height, width), (0, 0, height, width), (0, 0, height, width)))
