"""Show which part of a photo the model did not see."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt8

from rendering.photo import Placement
from rendering.placement import used_part

UNSEEN = 230
"""The grey level of a heatmap where the model did not look. No colormap has it, and it does not look like a lowest value."""
_FADED = 0.55  # the share of the photo that is left where the model did not look; the rest is UNSEEN
_FRAME = 255  # white
_FRAMES_PER_SIDE = 300  # the frame is as thick as the photo's shorter side divided by this number, and at least one pixel


def faded(image: UInt8[np.ndarray, "H W 3"], part: tuple[slice, slice]) -> UInt8[np.ndarray, "H W 3"]:
    """Return the photo with everything faded that lies outside `part`, and a thin frame around `part`, outside of it.

    If `part` is the whole photo, this is a copy of it.

    Args:
        image: the photo.
        part: the rows and the columns that the model saw.
    """
    rows, columns = part
    height, width = image.shape[:2]
    if (rows.start, rows.stop, columns.start, columns.stop) == (0, height, 0, width):
        return image.copy()
    made = cv2.convertScaleAbs(image, alpha=_FADED, beta=(1 - _FADED) * UNSEEN)  # in less than half the time of cv2.LUT
    thick = max(1, min(height, width) // _FRAMES_PER_SIDE)
    made[max(0, rows.start - thick) : rows.stop + thick, max(0, columns.start - thick) : columns.stop + thick] = _FRAME
    made[part] = image[part]
    return made


def unseen_meaning(placement: Placement, photo_shape: tuple[int, ...], look: str) -> str:
    """Return the words for the part that the model did not see, which has this look, or nothing if it saw the whole photo."""
    rows, columns = used_part(placement, photo_shape)
    seen = (rows.stop - rows.start, columns.stop - columns.start) == tuple(photo_shape[:2])
    return "" if seen else f"{look}: not seen by the model"
