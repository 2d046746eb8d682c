"""Signed maps on a photo in grey: red what speaks for, blue what speaks against, nothing where the map is 0."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from workers.contract.inputs import Photo
from workers.rendering.overlay import OverlayAndHeatmap
from workers.rendering.place import onto_photo, used_part

# The ends of ColorBrewer's RdBu (11 classes), one step in: dark enough for a photo, light enough for white paper.
FOR, AGAINST, PAPER = (np.array(colour, np.float32) for colour in ((178, 24, 43), (33, 102, 172), (247, 247, 247)))


def blended(values: Float32[np.ndarray, "h w"], photo: Photo, alpha: float) -> OverlayAndHeatmap:
    """(overlay, heatmap), both at the photo's size. The overlay's colour weighs alpha·|value| over the photo in grey, so that
    the photo's own colours are not taken for the map's; the heatmap goes from blue through white to red. Where the model did
    not look, the overlay is the photo in its colours and the heatmap is black.

    Args:
        values: −1 to 1, over the whole input.
    """
    part = used_part(photo.placement, photo.image.shape)
    signed = onto_photo(values, photo.placement, photo.image.shape)[part][..., None]
    strength = np.abs(signed)
    colour = np.where(signed > 0, FOR, AGAINST)
    heatmap, overlay = np.zeros_like(photo.image), photo.image.copy()
    heatmap[part] = _levels(PAPER * (1 - strength) + colour * strength)
    weight = np.float32(alpha) * strength
    grey = cv2.cvtColor(np.ascontiguousarray(photo.image[part]), cv2.COLOR_RGB2GRAY)[..., None]
    overlay[part] = _levels(grey * (1 - weight) + colour * weight)
    return overlay, heatmap


def _levels(colours: Float32[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
    return np.rint(colours).astype(np.uint8)
