"""Draw a layer's channels as tiles of one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from rendering import colormaps, text
from rendering.channel_levels import scale_all_channels, scale_each_channel, scale_from_zero
from rendering.grid import grid, grid_size
from rendering.tile_numbers import write_numbers

# A tile whose sides are shorter than this is enlarged by a whole factor, nearest neighbour: 7×7 becomes 28×28, 1×1 becomes 24×24.
VISIBLE = 24
CAPTIONED = 40
THIN = 4
CAPTION_SIZE, LARGE_CAPTION = 10, 16  # pixels, of the letters above a tile
# With numbers, tiles are at least as large as this, unless the grid would then be wider or higher than `WIDEST`.
READABLE, WIDEST = 80, 1600
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
        numbers: If it is true, tiles without captions carry their index in a corner if they have 40 pixels or more. Small tiles are
            enlarged so that numbers and captions can be read when the picture is shown at half its size, unless there are too many.
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
    by_position = levels.reshape(-1, levels.shape[-1])
    tiles = _bounded(np.asarray(cv2.transpose(by_position), np.uint8).reshape(-1, *levels.shape[:2]))
    layout = _GridLayout.of(tiles.shape, columns=columns, captioned=captions is not None, numbers=numbers)
    count, height, width = tiles.shape
    coloured = colormaps.apply(tiles.reshape(count * height, width), colours).reshape(count, height, width, 3)
    if mode != "global":  # by itself, a channel of one value has no scale
        by_channel = by_position if nearly else activations.reshape(-1, count)
        coloured[by_channel.max(axis=0) - by_channel.min(axis=0) <= (FLAT if nearly else 0)] = CONSTANT
    coloured = _enlarged(coloured, layout.factor)
    if captions is not None:
        coloured = text.captioned(coloured, captions, layout.letters)
    elif numbers:
        write_numbers(coloured, [str(channel) for channel in range(count)])
    return grid(coloured, columns=columns, background=text.PAPER)


def channel_grid_size(
    count: int, height: int, width: int, *, columns: int | None = None, captioned: bool = False, numbers: bool = False
) -> tuple[int, int]:
    """Return the (height, width) of the grid of `count` channels of `height` × `width`."""
    height, width = bounded_size(count, height, width)
    layout = _GridLayout.of((count, height, width), columns=columns, captioned=captioned, numbers=numbers)
    caption = text.line_height(layout.letters) if captioned else 0
    return grid_size(count, height * layout.factor + caption, width * layout.factor, columns=columns)


@dataclass(frozen=True)
class _GridLayout:
    """By which factor the tiles of a grid are enlarged, and the height in pixels of the letters above them."""

    factor: int
    letters: int

    @classmethod
    def of(cls, shape: tuple[int, int, int], *, columns: int | None, captioned: bool, numbers: bool) -> _GridLayout:
        """Return the layout of (count, height, width) tiles. With `numbers`, they are enlarged further if there is room."""
        count, height, width = shape
        factor = _enlargement(height, width, CAPTIONED if captioned else VISIBLE)
        if not numbers:
            return cls(factor, CAPTION_SIZE)
        larger = _enlargement(height, width, READABLE)
        if max(grid_size(count, height * larger, width * larger, columns=columns)) <= WIDEST:
            factor = larger
        return cls(factor, min(LARGE_CAPTION, max(CAPTION_SIZE, width * factor // 5)))


def bounded_size(count: int, height: int, width: int) -> tuple[int, int]:
    """Return the (height, width) at which `count` tiles are drawn: their own, or less if the grid would exceed `MAX_GRID_PIXELS`."""
    share = math.sqrt(MAX_GRID_PIXELS / (count * height * width))
    return (height, width) if share >= 1 else (max(1, int(height * share)), max(1, int(width * share)))


def _enlargement(height: int, width: int, side: int) -> int:
    return max(1, math.ceil(side / max(height, width)), math.ceil(THIN / min(height, width)))


def _enlarged(tiles: UInt8[np.ndarray, "n h w 3"], factor: int) -> UInt8[np.ndarray, "n H W 3"]:
    """Return the tiles with each pixel repeated `factor` times to the right and downwards."""
    if factor == 1:
        return tiles
    count, height, width, _ = tiles.shape
    rows = tiles.reshape(count * height, width, 3)
    wide = cv2.resize(rows, (width * factor, count * height), interpolation=cv2.INTER_NEAREST)
    enlarged = np.empty((count * height, factor, 3 * width * factor), np.uint8)  # whole rows are copied several times as fast as pixels
    enlarged[...] = wide.reshape(count * height, 1, -1)
    return enlarged.reshape(count, height * factor, width * factor, 3)


def _bounded(tiles: UInt8[np.ndarray, "n h w"]) -> UInt8[np.ndarray, "n H W"]:
    size = bounded_size(*tiles.shape)
    if size == tiles.shape[1:]:
        return tiles
    resized: list[np.ndarray] = [cv2.resize(tile, size[::-1], interpolation=cv2.INTER_AREA) for tile in tiles]
    return np.stack(resized)
