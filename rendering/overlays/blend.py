"""Blend a heatmap in a colormap's colours with the photo."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from rendering import colormaps
from rendering.overlays import OverlayAndHeatmap
from rendering.overlays.unseen import UNSEEN, faded
from rendering.photo import Photo
from rendering.placement import smooth_on_photo, used_part
from schemas.methods.colormap import Colormap


def blend(heat: Float32[np.ndarray, "h w"], photo: Photo, colours: Colormap, alpha: float) -> OverlayAndHeatmap:
    """Return (overlay, heatmap) at the photo's size; the overlay is (1 − w)·photo + w·heatmap with w = alpha·min(1, 2·heat).

    So the photo stays as it is where there is no heat, and colours are strongest from half of the heat on. Where the model did not look,
    the photo is faded and the heatmap is light grey.

    Args:
        heat: A map over the whole input, scaled to 0-1.
        photo: The photo, and where it lies in the input.
        colours: The colormap of the heatmap.
        alpha: The weight of the heatmap in the overlay where the heat is at least 0.5, 0-1.
    """
    part = used_part(photo.placement, photo.image.shape)
    enlarged = smooth_on_photo(heat, photo.placement, photo.image.shape)
    heatmap = np.full_like(photo.image, UNSEEN)
    heatmap[part] = colormaps.apply(np.rint(enlarged * 255).astype(np.uint8), colours)
    weight = np.float32(alpha) * np.minimum(1, 2 * enlarged)[..., None]
    overlay = faded(photo.image, part)
    overlay[part] = np.rint(photo.image[part] * (1 - weight) + heatmap[part] * weight).astype(np.uint8)
    return overlay, heatmap
