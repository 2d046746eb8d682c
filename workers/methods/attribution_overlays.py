"""The overlay of an attribution method, as a picture inside the picture of another method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rendering.charts.colour_scale import ColourScale
from rendering.drawings.maps_on_photo import MapsOnPhoto
from rendering.photo import Photo
from schemas.methods.base import MethodParams
from workers.contract.arrays import UInt8
from workers.contract.artifacts import Array, Picture, PictureOfArrays
from workers.methods import implementation


@dataclass(frozen=True)
class AttributionOverlay:
    """The overlay that an attribution method draws.

    Attributes:
        image: The picture, uint8 RGB (h, w, 3) of the photo's size.
        scale: The scale of its colours, or None if the method does not draw a map in the colours of a scale.
        meaning: The meaning of the colours that the scale does not explain, in words. It may be empty.
    """

    image: UInt8
    scale: ColourScale | None
    meaning: str


def attribution_overlay(result: Any, photo: Photo, params: MethodParams) -> AttributionOverlay:
    """Return the overlay that an attribution method draws.

    Args:
        result: what the `run` of the attribution method has returned for the photo.
        photo: the photo, which may be a smaller copy.
        params: the parameters of the attribution method.
    """
    output = implementation(params.card.name).draw(result, photo, params)
    (overlay,) = (each for each in output.artifacts if each.name == "overlay")
    if not isinstance(overlay, Picture | PictureOfArrays):
        raise TypeError("the overlay of an attribution method must be a picture")
    arrays = {each.name: each.array for each in output.artifacts if isinstance(each, Array)}
    image = overlay.image if isinstance(overlay, Picture) else overlay.drawing.draw(arrays, photo.image)
    if not isinstance(overlay.drawing, MapsOnPhoto):
        return AttributionOverlay(image, None, "")
    return AttributionOverlay(image, overlay.drawing.colour_scale(arrays), overlay.drawing.meaning)
