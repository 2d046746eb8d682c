"""Draw thin lines where the values of a map change from one position to the next."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from rendering.photo import Photo
from rendering.placement import map_extent, upright, used_part

LINE = (40, 40, 40)  # dark grey, which no colour of a signed map is near to
_LINES_PER_SIDE = 400  # a line is as thick as the photo's shorter side divided by this number, and at least one pixel


def with_borders(picture: UInt8[np.ndarray, "H W 3"], values: Float32[np.ndarray, "h w"], photo: Photo) -> UInt8[np.ndarray, "H W 3"]:
    """Return the picture with dark lines between the positions of a map that have different values.

    In a map in which all positions of a segment have one value, they are the borders of the segments, as those of `mark_boundaries` of
    scikit-image, which the examples of lime use.

    Args:
        picture: The photo, or a picture of its size.
        values: A map over the whole input.
        photo: The photo, and where it lies in the input.
    """
    rows, columns = used_part(photo.placement, photo.image.shape)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    top, left, bottom, right = map_extent(photo.placement, photo.image.shape, values.shape)
    down, across = _cells(top, bottom, height, values.shape[0]), _cells(left, right, width, values.shape[1])
    lines = _changes(upright(values, photo.placement)[down[:, None], across])
    thick = max(1, min(photo.image.shape[:2]) // _LINES_PER_SIDE)
    if thick > 1:
        lines = cv2.dilate(lines.astype(np.uint8), np.ones((thick, thick), np.uint8)).astype(np.bool_)
    drawn = picture.copy()
    drawn[rows, columns][lines] = LINE
    return drawn


def _cells(start: float, stop: float, count: int, cells: int) -> Int64[np.ndarray, " count"]:
    """Return the cell of a map under the centre of each of `count` equal parts of start–stop."""
    centres = start + (np.arange(count) + 0.5) * (stop - start) / count
    return np.clip(np.floor(centres), 0, cells - 1).astype(np.int64)


def _changes(values: Float32[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Return which positions differ from the next one below or on the right."""
    found = np.zeros(values.shape, np.bool_)
    found[:-1] |= values[:-1] != values[1:]
    found[:, :-1] |= values[:, :-1] != values[:, 1:]
    return found
