"""Draw a signed map on a pale grey photo: red speaks for the class, blue speaks against it, and zero has no colour."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from rendering.colormaps import ABOVE, BELOW, NEUTRAL
from rendering.overlays import OverlayAndHeatmap
from rendering.overlays.unseen import UNSEEN, faded
from rendering.photo import Photo
from rendering.placement import smooth_on_photo, used_part

WHITE, PALE = np.float32(255), np.float32(0.5)  # the contrast that is left of the photo in grey, whose white stays white


def blend_diverging(values: Float32[np.ndarray, "h w"], photo: Photo, alpha: float) -> OverlayAndHeatmap:
    """Return (overlay, heatmap) at the photo's size.

    In the overlay, the colour has the weight alpha·|value| over the photo in pale grey, so that nobody takes the photo's own colours for
    the map's, and a colour looks as in the scale also where the photo is dark, as in `shap.image_plot`. The heatmap goes from blue
    through white to red. Where the model did not look, the photo is faded in its own colours and the heatmap is light grey.

    Args:
        values: A signed map over the whole input, scaled to −1 to 1.
        photo: The photo, and where it lies in the input.
        alpha: The weight of a colour at |value| = 1, 0-1.
    """
    part = used_part(photo.placement, photo.image.shape)
    signed = smooth_on_photo(values, photo.placement, photo.image.shape)[..., None]
    strength = np.abs(signed)
    colour = np.where(signed > 0, ABOVE, BELOW)
    heatmap, overlay = np.full_like(photo.image, UNSEEN), faded(photo.image, part)
    heatmap[part] = _levels(NEUTRAL * (1 - strength) + colour * strength)
    weight = np.float32(alpha) * strength
    grey = cv2.cvtColor(np.ascontiguousarray(photo.image[part]), cv2.COLOR_RGB2GRAY)[..., None]
    pale = WHITE - PALE * (WHITE - grey)
    overlay[part] = _levels(pale * (1 - weight) + colour * weight)
    return overlay, heatmap


def _levels(colours: Float32[np.ndarray, "*axes"]) -> UInt8[np.ndarray, "*axes"]:
    return np.rint(colours).astype(np.uint8)
