"""Heat on a photo: the plain blend, and the two published ways of drawing Grad-CAM, reproduced."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from schemas.methods.colormap import Colormap
from workers.contract.inputs import Photo
from workers.rendering import colormap
from workers.rendering.place import map_extent, onto_photo, used_part

OverlayAndHeatmap = tuple[UInt8[np.ndarray, "H W 3"], UInt8[np.ndarray, "H W 3"]]


def blended(heat: Float32[np.ndarray, "h w"], photo: Photo, colours: Colormap, alpha: float) -> OverlayAndHeatmap:
    """(overlay, heatmap), both at the photo's size: (1 − alpha)·photo + alpha·heatmap.

    Where the model did not look, the overlay is the photo alone and the heatmap is black.

    Args:
        heat: 0–1, over the whole input.
    """
    part = used_part(photo.placement, photo.image.shape)
    levels = np.rint(onto_photo(heat, photo.placement, photo.image.shape) * 255).astype(np.uint8)
    heatmap = np.zeros_like(photo.image)
    heatmap[part] = colormap.apply(levels[part], colours)
    overlay = photo.image.copy()
    overlay[part] = cv2.addWeighted(photo.image[part], 1 - alpha, heatmap[part], alpha, 0)
    return overlay, heatmap


def as_dlwp1(heat: Float32[np.ndarray, "h w"], photo: Photo) -> OverlayAndHeatmap:
    """(overlay, heatmap) as Chollet, Deep Learning with Python, 1st edition, listing 5.45 draws them: uint8(255·heat)
    truncated, cv2's JET, 0.4·heatmap + photo, what exceeds 255 cut off (as `cv2.imwrite` does)."""
    part = used_part(photo.placement, photo.image.shape)
    levels = (onto_photo(heat, photo.placement, photo.image.shape) * np.float32(255)).astype(np.uint8)
    heatmap = np.zeros_like(photo.image)
    heatmap[part] = colormap.apply(levels[part], "jet")
    return np.clip(np.rint(heatmap * 0.4 + photo.image), 0, 255).astype(np.uint8), heatmap


def as_keras_io(heat: Float32[np.ndarray, "h w"], photo: Photo) -> OverlayAndHeatmap:
    """(overlay, heatmap) as keras.io's 'Grad-CAM class activation visualization' draws them: matplotlib's jet at the map's own
    resolution, that picture stretched (min–max) and resized (Pillow, bicubic), 0.4·heatmap + photo, stretched again."""
    rows, columns = used_part(photo.placement, photo.image.shape)
    top, left, bottom, right = map_extent(photo.placement, photo.image.shape, heat.shape)
    small = Image.fromarray(_stretched(colormap.matplotlib_jet()[(heat * np.float32(255)).astype(np.uint8)]))
    box = (max(0.0, left), max(0.0, top), min(right, small.width), min(bottom, small.height))
    size = (columns.stop - columns.start, rows.stop - rows.start)
    heatmap = np.zeros_like(photo.image)
    heatmap[rows, columns] = np.asarray(small.resize(size, Image.Resampling.BICUBIC, box=box))
    return _stretched(heatmap.astype(np.float32) * np.float32(0.4) + photo.image), heatmap


def _stretched(picture: np.ndarray) -> UInt8[np.ndarray, "h w 3"]:
    """Minimum → 0, maximum → 255, truncated: `keras.utils.array_to_img` with its default `scale=True`."""
    picture = np.asarray(picture, np.float32)
    picture = picture - picture.min()
    if peak := picture.max():
        picture = picture / peak
    return (picture * 255).astype(np.uint8)
