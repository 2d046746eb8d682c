"""The overlay of an attribution method, as a picture inside the picture of another method."""

from __future__ import annotations

from typing import Any

from rendering.photo import Photo
from schemas.methods.base import MethodParams
from workers.contract.arrays import UInt8
from workers.contract.artifacts import Array, Picture, PictureOfArrays
from workers.methods import implementation


def attribution_overlay(result: Any, photo: Photo, params: MethodParams) -> UInt8:
    """Return the overlay that an attribution method draws, uint8 RGB of the photo's size.

    Args:
        result: what the `run` of the attribution method has returned for the photo.
        photo: the photo, which may be a smaller copy.
        params: the parameters of the attribution method.
    """
    output = implementation(params.card.name).draw(result, photo, params)
    (overlay,) = (each for each in output.artifacts if each.name == "overlay")
    if isinstance(overlay, PictureOfArrays):
        return overlay.drawing.draw({each.name: each.array for each in output.artifacts if isinstance(each, Array)}, photo.image)
    if not isinstance(overlay, Picture):
        raise TypeError("the overlay of an attribution method must be a picture")
    return overlay.image
