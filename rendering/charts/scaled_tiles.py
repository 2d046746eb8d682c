"""Lay out pictures of maps in rows, each under its words and beside the scale of its colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from rendering.charts.colour_scale import ColourScale
from rendering.charts.tile_with_scale import picture_middle, tile_size, tile_with_scale
from rendering.grid import grid
from rendering.text import PAPER, line, line_height

LONGEST, GAP, LETTERS = 300, 10, 14  # pixels: a picture's longer side, the space between tiles, and the height of letters


def scaled_tile(
    caption: str, picture: UInt8[np.ndarray, "h w 3"], shape: tuple[int, int], scale: ColourScale | None = None
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a picture with its scale beside it, and the caption over the picture. Without a scale, it stands in the middle of the tile.

    It fills as much as it can of a box with the proportions of `shape` (height, width) and a longer side of 300 pixels.
    """
    box = _box(shape)
    tile = tile_with_scale(picture, box, scale, LETTERS)
    middle = picture_middle(box, LETTERS, scale=scale is not None)
    return np.concatenate([line(caption, tile.shape[1], LETTERS, centred=True, middle=middle), tile])


def scaled_tile_size(shape: tuple[int, int]) -> tuple[int, int]:
    """Return the (height, width) in pixels of the tile of a picture with the proportions of `shape`."""
    height, width = tile_size(_box(shape), LETTERS)
    return line_height(LETTERS) + height, width


def tiles_in_rows(tiles: Sequence[UInt8[np.ndarray, "h w 3"]], columns: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return tiles of one size in rows of `columns`."""
    return grid(tiles, columns=columns, gap=GAP, background=PAPER)


def _box(shape: tuple[int, int]) -> tuple[int, int]:
    share = LONGEST / max(shape)
    return max(1, round(shape[0] * share)), max(1, round(shape[1] * share))
