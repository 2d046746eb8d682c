"""Divide an image into segments, and cover those that a sample leaves out."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8
from skimage.segmentation import slic

from schemas.methods.perturbation.segments import SegmentParams


def segments_of(image: UInt8[np.ndarray, "H W 3"], params: SegmentParams) -> Int32[np.ndarray, "H W"]:
    """Return the number of each position's segment. The numbers count from 0, without gaps.

    Args:
        image: the picture of the model's input.
        params: which segmentation, and about how many segments.
    """
    if params.segmentation == "grid":
        return grid(image.shape[0], image.shape[1], params.segments)
    found = slic(image, n_segments=params.segments, compactness=params.compactness, start_label=0, channel_axis=-1)
    return np.unique(found, return_inverse=True)[1].reshape(found.shape).astype(np.int32)


def grid(height: int, width: int, segments: int) -> Int32[np.ndarray, "h w"]:
    """Return the cells of a grid of nearly square cells. It has at most `segments` cells, and at most one for each position."""
    rows = min(height, max(1, round(math.sqrt(segments * height / width))))
    columns = min(width, max(1, segments // rows))
    rows = min(rows, segments // columns)
    down, across = np.arange(height) * rows // height, np.arange(width) * columns // width
    return (down[:, None] * columns + across).astype(np.int32)


def shown(
    image: Float32[np.ndarray, "H W C"],
    cover: Float32[np.ndarray, "H W C"],
    segments: Int32[np.ndarray, "H W"],
    visible: Bool[np.ndarray, "b s"],
) -> Float32[np.ndarray, "b H W C"]:
    """Return the image once for each sample, with `cover` in the place of the segments that are not visible in it."""
    return np.where(visible[:, segments][..., None], image, cover)
