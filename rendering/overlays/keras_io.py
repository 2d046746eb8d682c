"""Draw a Grad-CAM heatmap as keras.io's example "Grad-CAM class activation visualization" does."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from rendering import colormaps
from rendering.overlays import OverlayAndHeatmap
from rendering.photo import Photo
from rendering.placement import map_extent, upright, used_part


def draw_as_keras_io(heat: Float32[np.ndarray, "h w"], photo: Photo) -> OverlayAndHeatmap:
    """Return (overlay, heatmap) at the photo's size, computed in the same steps as the example.

    The map is coloured with matplotlib's jet at its own resolution, stretched (minimum to 0, maximum to 255), resized with Pillow's
    bicubic filter, and added to the photo as 0.4·heatmap + photo. The sum is stretched again.

    Args:
        heat: A map over the whole input, scaled to 0-1.
        photo: The photo, and where it lies in the input.
    """
    rows, columns = used_part(photo.placement, photo.image.shape)
    top, left, bottom, right = map_extent(photo.placement, photo.image.shape, heat.shape)
    levels = (upright(heat, photo.placement) * np.float32(255)).astype(np.uint8)
    small = Image.fromarray(_stretched(colormaps.matplotlib_jet()[levels]))
    box = (max(0.0, left), max(0.0, top), min(right, small.width), min(bottom, small.height))
    size = (columns.stop - columns.start, rows.stop - rows.start)
    heatmap = np.zeros_like(photo.image)
    heatmap[rows, columns] = np.asarray(small.resize(size, Image.Resampling.BICUBIC, box=box))
    return _stretched(heatmap.astype(np.float32) * np.float32(0.4) + photo.image), heatmap


def _stretched(picture: np.ndarray) -> UInt8[np.ndarray, "h w 3"]:
    """Scale the minimum to 0 and the maximum to 255, truncated, as `keras.utils.array_to_img` does with its default `scale=True`."""
    picture = np.asarray(picture, np.float32)
    picture = picture - picture.min()
    if peak := picture.max():
        picture = picture / peak
    return (picture * 255).astype(np.uint8)
