"""Draw parts as colours on the photo."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8

from rendering.overlays.unseen import faded
from rendering.photo import Photo
from rendering.placement import smooth_on_photo, used_part

# Sasha Trubetskoy's list of colours that are far from each other, without those near white, black and grey.
PART_COLOURS: tuple[tuple[int, int, int], ...] = (
    (230, 25, 75),
    (67, 99, 216),
    (60, 180, 75),
    (255, 225, 25),
    (145, 30, 180),
    (66, 212, 244),
    (245, 130, 49),
    (240, 50, 230),
    (191, 239, 69),
    (0, 128, 128),
    (154, 99, 36),
    (250, 190, 212),
)
"""The colour of each part, by its number."""


def parts_on_photo(maps: Float32[np.ndarray, "p h w"], photo: Photo, alpha: float = 0.65) -> UInt8[np.ndarray, "H W 3"]:
    """Return the photo in grey, with the colour of the strongest part at each pixel.

    The colour's weight is alpha · min(1, 2 · value). Where the model did not look, the photo is faded.

    Args:
        maps: The maps of at most 12 parts, 0-1.
        photo: The photo, and where it lies under the maps.
        alpha: The weight of a colour where its map is at least 0.5.
    """
    part = used_part(photo.placement, photo.image.shape)
    enlarged = np.stack([smooth_on_photo(each, photo.placement, photo.image.shape) for each in maps])
    strongest = enlarged.argmax(axis=0)
    weight = (alpha * np.minimum(1, 2 * enlarged.max(axis=0)))[..., None]
    colours = np.array(PART_COLOURS, np.float32)[strongest]
    overlay = faded(photo.image, part)
    grey = photo.image[part].astype(np.float32).mean(axis=-1, keepdims=True)
    overlay[part] = np.rint((1 - weight) * grey + weight * colours).astype(np.uint8)
    return overlay
