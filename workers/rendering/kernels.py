"""Weights → pictures: kernels as tiles, matrices as they are; 0–255 from the smallest weight to the largest of all."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from schemas.methods.colormap import Colormap
from workers.rendering import channels, colormap, scaling

MATRIX_SIDE = 1024  # a longer side is reduced to this
SMALL_MATRIX, LARGEST_CELL = 384, 24  # a shorter side is enlarged to this, a cell to that at most
GRID_WIDTH, LARGEST_TILE = 480, 64  # likewise a grid and its tiles


def enlarged(kernels: Float32[np.ndarray, "h w *axes"], count: int, columns: int | None) -> Float32[np.ndarray, "H W *axes"]:
    """Kernels each of whose weights takes more pixels, where a grid of `count` of them would be small."""
    side = min(LARGEST_TILE, GRID_WIDTH // (columns or math.ceil(math.sqrt(count))))
    factor = max(1, side // max(kernels.shape[:2]))
    return kernels.repeat(factor, axis=0).repeat(factor, axis=1)


def in_colour(
    kernels: Float32[np.ndarray, "h w 3 n"], span: tuple[float, float], *, columns: int | None, captions: Sequence[str] | None
) -> UInt8[np.ndarray, "H W 3"]:
    """A tile for each kernel, its three inputs as red, green and blue; 1 pixel between tiles, ⌈√n⌉ of them in a row.

    Args:
        span: the smallest and largest weight of the whole layer, which become 0 and 255.
        captions: words above each tile.
    """
    return np.stack(
        [
            channels.tiled(kernels[:, :, plane], mode="global", colours="gray", columns=columns, captions=captions, span=span)[..., 0]
            for plane in range(3)
        ],
        axis=-1,
    )


def matrix(values: Float32[np.ndarray, "rows columns"], colours: Colormap) -> UInt8[np.ndarray, "H W 3"]:
    """A cell for each weight; a long side is averaged down to 1,024 pixels, a short one enlarged by a whole factor."""
    cells = scaling.over_layer(values[..., None])[..., 0]
    height, width = (min(side, MATRIX_SIDE) for side in cells.shape)
    if (height, width) != cells.shape:
        cells = np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    for axis, side in enumerate((height, width)):
        cells = cells.repeat(max(1, min(LARGEST_CELL, math.ceil(SMALL_MATRIX / side))), axis=axis)
    return colormap.apply(cells, colours)
