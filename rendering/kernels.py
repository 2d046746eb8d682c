"""Draw weights: convolution kernels as tiles, matrices as one cell for each weight."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from rendering import colormaps
from rendering.channel_grid import channel_grid
from rendering.channel_levels import scale_all_channels

MATRIX_SIDE = 1024  # a longer side of a matrix is reduced to this many pixels
SMALL_MATRIX, LARGEST_CELL = 384, 24  # a shorter side is enlarged to about 384 pixels, but a cell to no more than 24
GRID_WIDTH, LARGEST_TILE = 480, 64  # a narrower grid of kernels is enlarged to about 480 pixels, but a tile to no more than 64


def enlarged(kernels: Float32[np.ndarray, "h w *axes"], count: int, columns: int | None) -> Float32[np.ndarray, "H W *axes"]:
    """Repeat each weight over several pixels if a grid of `count` kernels would be small without it."""
    side = min(LARGEST_TILE, GRID_WIDTH // (columns or math.ceil(math.sqrt(count))))
    factor = max(1, side // max(kernels.shape[:2]))
    return kernels.repeat(factor, axis=0).repeat(factor, axis=1)


def in_colour(
    kernels: Float32[np.ndarray, "h w 3 n"], span: tuple[float, float], *, columns: int | None, captions: Sequence[str] | None
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a tile for each kernel, with its three inputs as red, green and blue and 1 pixel between tiles.

    Args:
        kernels: Kernels that read three channels, in RGB order.
        span: The smallest and largest weight of the whole layer, which become 0 and 255.
        columns: Number of tiles in a row. If it is None, it is ⌈√n⌉.
        captions: Words above each tile.
    """
    return np.stack(
        [
            channel_grid(kernels[:, :, plane], mode="global", colours="gray", columns=columns, captions=captions, span=span)[..., 0]
            for plane in range(3)
        ],
        axis=-1,
    )


def matrix(
    values: Float32[np.ndarray, "rows columns"], colours: colormaps.Colours, span: tuple[float, float] | None = None
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a picture with one cell for each weight. `span` are the weights at the ends of the colours, or the extremes if it is None.

    A side of more than 1,024 weights is averaged down to 1,024 pixels; a short side is enlarged by a whole factor.
    """
    cells = scale_all_channels(values[..., None], span)[..., 0]
    height, width = (min(side, MATRIX_SIDE) for side in cells.shape)
    if (height, width) != cells.shape:
        cells = np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    for axis, side in enumerate((height, width)):
        cells = cells.repeat(max(1, min(LARGEST_CELL, math.ceil(SMALL_MATRIX / side))), axis=axis)
    return colormaps.apply(cells, colours)
