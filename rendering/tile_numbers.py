"""Write a number or a name into a corner of each tile of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from rendering import text

SMALLEST_TILE = 40  # pixels of the shorter side; on a smaller tile a number would cover too much
SMALLEST = 10  # pixels, of the letters
BOX, LETTERS = (20, 20, 20), (255, 255, 255)


def number_letters(height: int, width: int) -> int:
    """Return the height in pixels of the letters of a tile's number. On tiles of 80 pixels or more, they can be read at half the size."""
    return int(np.clip(min(height, width) / 5, SMALLEST, 20))


def numbered(tiles: UInt8[np.ndarray, "n h w 3"], labels: Sequence[str]) -> UInt8[np.ndarray, "n h w 3"]:
    """Return the tiles with the labels in light letters on a dark box at the top left. Tiles under 40 pixels stay bare.

    A label that is wider than its tile has smaller letters, and is shortened if they would be smaller than 10 pixels.
    """
    marked = tiles.copy()
    write_numbers(marked, labels)
    return marked


def write_numbers(tiles: UInt8[np.ndarray, "n h w 3"], labels: Sequence[str]) -> None:
    """Write the labels on the tiles themselves, as `numbered` writes them on a copy."""
    height, width = tiles.shape[1:3]
    if min(height, width) < SMALLEST_TILE:
        return
    size = number_letters(height, width)
    for tile, label in zip(tiles, labels, strict=True):
        box = _box(label, size, width)
        tile[: box.shape[0], : box.shape[1]] = box


@lru_cache(maxsize=1024)  # nearly all grids have tiles of a few sizes and the same numbers
def _box(label: str, size: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    margin = max(2, size // 6)
    drawn, room = text.drawable(label), width - 2 * margin
    size = next((each for each in range(size, SMALLEST, -1) if text.length(drawn, text.font(each)) <= room), SMALLEST)
    face = text.font(size)
    words = text.shortened(label, face, room)
    box = Image.new("RGB", (min(width, round(face.getlength(words)) + 2 * margin), size + 2 * margin), BOX)
    ImageDraw.Draw(box).text((margin, box.height / 2), words, fill=LETTERS, font=face, anchor="lm")
    return np.asarray(box)  # it is read-only
