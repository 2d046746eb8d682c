"""Pictures of one size, tiled."""

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
    """All of `images` in one picture, `gap` pixels between them and none around; places left over hold `background`.

    Args:
        images: uint8 RGB, all of one size, at least one.
        columns: tiles in a row; None: ⌈√n⌉. Never more than there are images.
        order: `row` fills rows from left to right, `column` fills columns from top to bottom (as dlwp1's figure does).

    Raises:
        ValueError: no image, or images of different sizes.
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
    canvas[...] = background[0] if len(set(background)) == 1 else background  # one value is filled ten times as fast as three
    # places[r, c] is the tile at row r, column c, as a view of the canvas
    places = canvas[:, :height, :, :width].transpose(0, 2, 1, 3, 4)
    if order == "column":
        places = places.swapaxes(0, 1)
    lines, line = places.shape[:2]
    whole = count // line
    places[:whole] = tiles[: whole * line].reshape(whole, line, height, width, 3)
    if whole < lines and (rest := count - whole * line):
        places[whole, :rest] = tiles[whole * line :]
    return canvas.reshape(rows * (height + gap), columns * (width + gap), 3)[: rows * (height + gap) - gap, : columns * (width + gap) - gap]


def _stack(images: Sequence[UInt8[np.ndarray, "_ _ 3"]]) -> UInt8[np.ndarray, "n h w 3"]:
    if not images:
        raise ValueError("a grid needs at least one image")
    if len(sizes := {image.shape for image in images}) > 1:
        raise ValueError(f"a grid needs images of one size, got {sorted(sizes)}")
    return np.stack(images)
