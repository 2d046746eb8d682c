"""Draw a layer's channels as tiles of one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from rendering import colormaps, text
from rendering.channel_levels import scale_all_channels, scale_each_channel, scale_from_zero
from rendering.grid import grid, grid_size
from rendering.tile_numbers import numbered

# A tile whose sides are shorter than this is enlarged by a whole factor, nearest neighbour: 7×7 becomes 28×28, 1×1 becomes 24×24.
VISIBLE = 24
CAPTIONED = 40
THIN = 4
CAPTION_SIZE = 10
CONSTANT = (190, 190, 190)  # the colour of a channel whose values are all equal, if each channel is scaled by itself
FLAT = 8  # levels of 255; nobody sees them as contrast
# A grid of more pixels than this shows its tiles smaller; 64 channels of 700×700 just fit.
MAX_GRID_PIXELS = 32_000_000


def channel_grid(
    activations: Float32[np.ndarray, "h w k"],
    *,
    mode: Literal["from_zero", "per_channel", "global"],
    colours: colormaps.Colours,
    columns: int | None = None,
    captions: Sequence[str] | None = None,
    numbers: bool = False,
    span: tuple[float, float] | None = None,
    nearly: bool = False,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a picture with one tile for each channel, in the given order.

    With `from_zero` and `per_channel`, a channel whose values are all equal is a grey tile.

    Args:
        activations: The channels to draw.
        mode: `from_zero` scales as `scale_from_zero` does, `per_channel` as `scale_each_channel`, and `global` as `scale_all_channels`.
        colours: The colormap of the tiles.
        columns: Number of tiles in a row. If it is None, it is ⌈√k⌉.
        captions: Words above each tile.
        numbers: If it is true, tiles of 40 pixels or more carry their index in a corner. It is for grids without captions.
        nearly: If it is true, a channel whose levels are at most `FLAT` apart is grey too.
        span: (minimum, maximum) of the whole layer, for `global` if `activations` holds only some of its channels.
    """
    match mode:
        case "from_zero":
            levels = scale_from_zero(activations)
        case "per_channel":
            levels = scale_each_channel(activations)
        case "global":
            levels = scale_all_channels(activations, span)
    tiles = _enlarged(_bounded(np.ascontiguousarray(levels.transpose(2, 0, 1))), CAPTIONED if captions else VISIBLE)
    count, height, width = tiles.shape
    coloured = colormaps.apply(tiles.reshape(count * height, width), colours).reshape(count, height, width, 3)
    if mode != "global":  # by itself, a channel of one value has no scale
        by_channel = (levels if nearly else activations).reshape(-1, count)
        coloured[by_channel.max(axis=0) - by_channel.min(axis=0) <= (FLAT if nearly else 0)] = CONSTANT
    if captions:
        coloured = text.captioned(coloured, captions, CAPTION_SIZE)
    elif numbers:
        coloured = numbered(coloured, [str(channel) for channel in range(count)])
    return grid(coloured, columns=columns, background=text.PAPER)


def channel_grid_size(count: int, height: int, width: int, *, columns: int | None = None, captioned: bool = False) -> tuple[int, int]:
    """Return the (height, width) of the grid of `count` channels of `height` × `width`."""
    height, width = bounded_size(count, height, width)
    factor = _enlargement(height, width, CAPTIONED if captioned else VISIBLE)
    caption = text.line_height(CAPTION_SIZE) if captioned else 0
    return grid_size(count, height * factor + caption, width * factor, columns=columns)


def bounded_size(count: int, height: int, width: int) -> tuple[int, int]:
    """Return the (height, width) at which `count` tiles are drawn: their own, or less if the grid would exceed `MAX_GRID_PIXELS`."""
    share = math.sqrt(MAX_GRID_PIXELS / (count * height * width))
    return (height, width) if share >= 1 else (max(1, int(height * share)), max(1, int(width * share)))


def _enlarged(tiles: UInt8[np.ndarray, "n h w"], side: int) -> UInt8[np.ndarray, "n H W"]:
    factor = _enlargement(tiles.shape[1], tiles.shape[2], side)
    return tiles if factor == 1 else tiles.repeat(factor, axis=1).repeat(factor, axis=2)


def _enlargement(height: int, width: int, side: int) -> int:
    return max(1, math.ceil(side / max(height, width)), math.ceil(THIN / min(height, width)))


def _bounded(tiles: UInt8[np.ndarray, "n h w"]) -> UInt8[np.ndarray, "n H W"]:
    size = bounded_size(*tiles.shape)
    if size == tiles.shape[1:]:
        return tiles
    resized: list[np.ndarray] = [cv2.resize(tile, size[::-1], interpolation=cv2.INTER_AREA) for tile in tiles]
    return np.stack(resized)
