"""Overlapping segments of an image at several scales, as XRAI takes them (Kapishnikov et al., arXiv:1906.02825, section 3.2)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8
from skimage.segmentation import felzenszwalb
from skimage.transform import resize

_SIGMA, _FEWEST_PIXELS = 0.8, 150
_SIDES = (224, 224)  # the scales of the segmentation are chosen for images of this size
_MASKS_A_PART = 16  # enlarging these takes about 30 ms for 600 × 600 pixels


def graph_segments(
    image: UInt8[np.ndarray, "H W 3"], scales: Sequence[float], radius: int
) -> Generator[int, None, Bool[np.ndarray, "s H W"]]:
    """Return the segments of all scales, each enlarged by a disk. Yield the number of scales that are done after each part of the work.

    The image is scaled to −1 to 1 and to 224 × 224 pixels for the segmentation, and the segments are brought back to its own size. All
    other numbers are those of the authors' code.

    Args:
        image: the picture of the model's input.
        scales: the scales. A larger one makes larger segments.
        radius: the radius of the disk in pixels. 0 leaves the segments as they are.
    """
    scaled = small(full_range(image))
    disk = disk_of(radius)
    yield 0
    numbered: list[Int64[np.ndarray, "H W"]] = []
    for scale in scales:
        numbers = felzenszwalb(scaled, scale=scale, sigma=_SIGMA, min_size=_FEWEST_PIXELS)
        own = resize(numbers, image.shape[:2], order=0, mode="constant", preserve_range=True, anti_aliasing=False)
        numbered.append(np.asarray(own, np.int64))
        yield 0
    masks = np.empty((sum(int(own.max() - own.min()) + 1 for own in numbered), *image.shape[:2]), bool)
    place = 0
    for done, own in enumerate(numbered):
        for number in range(own.min(), own.max() + 1):
            masks[place] = enlarged(own == number, disk)
            place += 1
            if place % _MASKS_A_PART == 0:
                yield done
    yield len(scales)
    return masks


def small(image: Float64[np.ndarray, "H W 3"]) -> Float64[np.ndarray, "224 224 3"]:
    """Return the image at the size of the segmentation, within the range of its own values.

    Each channel is scaled for itself, which takes a tenth of the time that scikit-image needs for all three together.
    """
    how: dict[str, Any] = {"order": 3, "mode": "constant", "preserve_range": True, "anti_aliasing": True, "clip": False}
    channels = [np.asarray(resize(image[..., channel], _SIDES, **how)) for channel in range(image.shape[-1])]
    return np.clip(np.stack(channels, axis=-1), image.min(), image.max())


def full_range(image: UInt8[np.ndarray, "H W 3"]) -> Float64[np.ndarray, "H W 3"]:
    """Return the image with its smallest value at −1 and its largest at 1. An image of one value is 0 everywhere."""
    low, high = float(image.min()), float(image.max())
    if low == high:
        return np.zeros(image.shape)
    return (image - low) / (high - low) * 2 - 1


def disk_of(radius: int) -> UInt8[np.ndarray, "d d"]:
    """Return the pixels whose centres are at most `radius` from the middle one, as 0 and 1."""
    away: Int64[np.ndarray, " d"] = np.arange(-radius, radius + 1)
    return (away[:, None] ** 2 + away**2 <= radius**2).astype(np.uint8)


def enlarged(mask: Bool[np.ndarray, "H W"], disk: UInt8[np.ndarray, "d d"]) -> Bool[np.ndarray, "H W"]:
    """Return the mask with every pixel that lies under the disk around one of its own."""
    return cv2.dilate(mask.astype(np.uint8), disk).astype(bool)
