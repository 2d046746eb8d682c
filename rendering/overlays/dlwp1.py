"""Draw a Grad-CAM heatmap as Chollet's book does (Deep Learning with Python, 1st edition, listing 5.45)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from rendering import colormaps
from rendering.overlays import OverlayAndHeatmap
from rendering.photo import Photo
from rendering.placement import onto_photo, used_part


def draw_as_dlwp1(heat: Float32[np.ndarray, "h w"], photo: Photo) -> OverlayAndHeatmap:
    """Return (overlay, heatmap) at the photo's size: the overlay is 0.4·heatmap + photo in OpenCV's jet colours.

    The levels are uint8(255·heat), truncated. Values of the overlay above 255 are clipped, as `cv2.imwrite` does it.

    Args:
        heat: A map over the whole input, scaled to 0-1.
        photo: The photo, and where it lies in the input.
    """
    part = used_part(photo.placement, photo.image.shape)
    levels = (onto_photo(heat, photo.placement, photo.image.shape) * np.float32(255)).astype(np.uint8)
    heatmap = np.zeros_like(photo.image)
    heatmap[part] = colormaps.apply(levels[part], "jet")
    return np.clip(np.rint(heatmap * 0.4 + photo.image), 0, 255).astype(np.uint8), heatmap
