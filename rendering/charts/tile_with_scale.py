"""Put a picture of a map into a box of a fixed size, with the scale of its colours on the right."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from rendering.charts.colour_scale import ColourScale, draw_scale
from rendering.side_by_side import fit_in_box
from rendering.text import PAPER

LETTERS = 11  # pixels
_LEFT, _MARGIN, _RIGHT = 1.5, 0.7, 8.5  # times the letters: the room before a picture, behind it, and for numbers such as "−1.23e−05"


def tile_size(box: tuple[int, int], letters: int = LETTERS) -> tuple[int, int]:
    """Return the (height, width) of a tile whose picture fills a box (height, width)."""
    return box[0], round((_LEFT + _RIGHT) * letters) + box[1]


def picture_left(letters: int = LETTERS, *, scale: bool) -> int:
    """Return the column of a tile at which the box of its picture begins."""
    return round((_LEFT if scale else (_LEFT + _RIGHT) / 2) * letters)


def picture_middle(box: tuple[int, int], letters: int = LETTERS, *, scale: bool) -> float:
    """Return the column of a tile that is the middle of its picture. A caption of the picture stands over it."""
    return picture_left(letters, scale=scale) + box[1] / 2


def tile_with_scale(
    picture: UInt8[np.ndarray, "h w 3"], box: tuple[int, int], scale: ColourScale | None, letters: int = LETTERS
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a tile with the picture in its box and the scale beside it. Without a scale, the picture stands in the middle of the tile.

    Args:
        picture: The picture. It becomes as large as its box.
        box: The height and the width of the box, in pixels.
        scale: The scale of the picture's colours, if it has one.
        letters: The height of the letters, in pixels.
    """
    height, width = tile_size(box, letters)
    left = picture_left(letters, scale=scale is not None)
    sheet = Image.new("RGB", (width, height), PAPER)
    sheet.paste(Image.fromarray(fit_in_box(picture, *box)), (left, 0))
    if scale is not None:
        draw_scale(sheet, scale, (left + box[1] + round(_MARGIN * letters), 1), height - 2, letters)
    return np.asarray(sheet)


def scale_labels(low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Return the words at both ends of a scale, and at zero if it lies in the middle. A scale of one value has one number."""
    if low == high:
        return ((0.0, _number(low)),)
    zero = ((0.5, "0"),) if low == -high else ()
    return ((0.0, _number(low)), *zero, (1.0, _number(high)))


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
