"""Blend a heatmap in a colormap's colours with the photo."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from rendering import colormaps
from rendering.overlays import OverlayAndHeatmap
from rendering.photo import Photo
from rendering.placement import onto_photo, used_part
from schemas.methods.colormap import Colormap


def blend(heat: Float32[np.ndarray, "h w"], photo: Photo, colours: Colormap, alpha: float) -> OverlayAndHeatmap:
    """Return (overlay, heatmap) at the photo's size; the overlay is (1 − alpha)·photo + alpha·heatmap.

    Where the model did not look, the overlay is the photo alone and the heatmap is black.

    Args:
        heat: A map over the whole input, scaled to 0-1.
        photo: The photo, and where it lies in the input.
        colours: The colormap of the heatmap.
        alpha: The weight of the heatmap in the overlay, 0-1.
    """
    part = used_part(photo.placement, photo.image.shape)
    levels = np.rint(onto_photo(heat, photo.placement, photo.image.shape) * 255).astype(np.uint8)
    heatmap = np.zeros_like(photo.image)
    heatmap[part] = colormaps.apply(levels[part], colours)
    overlay = photo.image.copy()
    overlay[part] = cv2.addWeighted(photo.image[part], 1 - alpha, heatmap[part], alpha, 0)
    return overlay, heatmap
