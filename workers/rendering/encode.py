"""Pictures and arrays → bytes; the same array gives the same bytes."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Level 1 of OpenCV takes half the time of Pillow's level 1 for the same size; the filter UP alone takes half the time of
# choosing among all five a row (OpenCV 5's default) for the same size, on overlays, charts and grids.
PNG_SETTINGS = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP)


def png(image: NDArray[Any]) -> bytes:
    """PNG of a uint8 RGB picture.

    Raises:
        ValueError: not uint8 RGB with at least one pixel.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"a picture is uint8 (H, W, 3) with at least one pixel, got {image.dtype} {image.shape}")
    bgr = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR)
    encoded, content = cv2.imencode(".png", bgr, PNG_SETTINGS)
    if not encoded:
        raise ValueError(f"no PNG could be made of a picture of shape {image.shape}")
    return content.tobytes()


def npy(array: NDArray[Any]) -> bytes:
    """The `.npy` file of an array: little-endian, C order, never a pickle."""
    little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    file = io.BytesIO()
    np.save(file, little, allow_pickle=False)
    return file.getvalue()
