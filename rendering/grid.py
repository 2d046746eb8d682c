"""Tile pictures of one size in rows and columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import UInt8

BLACK = (0, 0, 0)


def grid(
    images: UInt8[np.ndarray, "n h w 3"] | Sequence[UInt8[np.ndarray, "_ _ 3"]],
    *,
    columns: int | None = None,
    gap: int = 1,
    background: tuple[int, int, int] = BLACK,
    order: Literal["row", "column"] = "row",
) -> UInt8[np.ndarray, "H W 3"]:
    """Return all images as tiles of one picture.

    Args:
        images: uint8 RGB images of one size, at least one.
        columns: Number of tiles in a row, at most the number of images. If it is None, it is ⌈√n⌉.
        gap: Pixels between two tiles; there are none around the grid.
        background: Colour of the gaps and of places without a tile.
        order: `row` fills rows from left to right; `column` fills columns from top to bottom, as the figure of the preset dlwp1 does.

    Raises:
        ValueError: There is no image, or the images differ in size.
    """
    tiles = np.asarray(images) if isinstance(images, np.ndarray) else _stack(images)
    count, height, width, _ = tiles.shape
    if count == 0:
        raise ValueError("a grid needs at least one image")
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    rows = math.ceil(count / columns)
    if order == "column":
        columns = math.ceil(count / rows)
    canvas = np.empty((rows, height + gap, columns, width + gap, 3), np.uint8)
    canvas[...] = background[0] if len(set(background)) == 1 else background  # filling with one value is ten times as fast as with three
    # places[r, c] is a view of the canvas: the tile at row r and column c
    places = canvas[:, :height, :, :width].transpose(0, 2, 1, 3, 4)
    if order == "column":
        places = places.swapaxes(0, 1)
    lines, line = places.shape[:2]
    whole = count // line
    places[:whole] = tiles[: whole * line].reshape(whole, line, height, width, 3)
    if whole < lines and (rest := count - whole * line):
        places[whole, :rest] = tiles[whole * line :]
    return canvas.reshape(rows * (height + gap), columns * (width + gap), 3)[: rows * (height + gap) - gap, : columns * (width + gap) - gap]


def grid_size(count: int, height: int, width: int, *, columns: int | None = None, gap: int = 1) -> tuple[int, int]:
    """Return the (height, width) of a grid of `count` images of `height` × `width`, filled row by row."""
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    return math.ceil(count / columns) * (height + gap) - gap, columns * (width + gap) - gap


def _stack(images: Sequence[UInt8[np.ndarray, "_ _ 3"]]) -> UInt8[np.ndarray, "n h w 3"]:
    if not images:
        raise ValueError("a grid needs at least one image")
    if len(sizes := {image.shape for image in images}) > 1:
        raise ValueError(f"a grid needs images of one size, got {sorted(sizes)}")
    return np.stack(images)
