"""Previews of a slow method: small pictures of the map as it forms."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from rendering.drawings.maps_on_photo import MapsOnPhoto
from rendering.photo import Photo, Placement
from schemas.models import Preprocessing
from workers.contract.colours import input_to_rgb
from workers.contract.inputs import Inputs
from workers.contract.progress import Slice

PREVIEW_SECONDS = 1.0


class PreviewedSlices:
    """The slices of a slow method. About once per second, a slice carries a preview."""

    def __init__(self, total: int, preview: Callable[[], UInt8[np.ndarray, "H W 3"]]) -> None:
        """Start the clock.

        Args:
            total: the number of steps of the job.
            preview: draws the current state. It is called only when a preview is due.
        """
        self._total, self._preview = total, preview
        self._last_preview = time.monotonic()

    def at(self, step: int) -> Slice:
        """Return the slice that ends at `step`."""
        if time.monotonic() - self._last_preview < PREVIEW_SECONDS:
            return Slice(step, self._total)
        self._last_preview = time.monotonic()
        return Slice(step, self._total, preview=self._preview())


def input_photo(inputs: Inputs, preprocessing: Preprocessing) -> Photo:
    """Return the model's one input as a photo of its own size. Previews are drawn on it.

    An input that is neither grey nor of three colours is an array, whose picture has the size of the input.
    """
    (tensor,) = inputs.tensor
    image = input_to_rgb(tensor, preprocessing) if tensor.shape[-1] in (1, 3) else inputs.photos[0].image
    height, width = image.shape[:2]
    return Photo(image, Placement((height, width), (0, 0, height, width), (0, 0, height, width)))


def preview_on(photo: Photo, values: Float32[np.ndarray, "h w"], **options: Any) -> UInt8[np.ndarray, "H W 3"]:
    """Return a map on the photo. `options` are those of `MapsOnPhoto`."""
    drawing = MapsOnPhoto(photo_size=photo.image.shape[:2], placement=photo.placement, **options)
    return drawing.draw({drawing.source: values}, photo.image)
