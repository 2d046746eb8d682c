"""Draw a small matrix of numbers: a coloured cell with its number for each."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageDraw

from rendering import colormaps, text
from rendering.channel_levels import scale_all_channels
from rendering.text import Colour

DARK, LIGHT = text.INK, (255, 255, 255)
_HALF = 140  # a colour of less than this brightness gets light letters


def numbered_cells(
    values: Float32[np.ndarray, "rows columns"], span: tuple[float, float], colours: colormaps.Colours, side: int, *, whole: bool = False
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a picture with a cell of `side` × `side` pixels for each value, and the value in it with two digits after the point.

    Args:
        values: The values.
        span: The values at the ends of the colours.
        colours: The name of the colours.
        side: The side of a cell, in pixels.
        whole: If it is true, the numbers are rounded to whole numbers.
    """
    levels = scale_all_channels(values[..., None], span)[..., 0]
    cells = colormaps.apply(levels, colours)
    sheet = Image.fromarray(cells.repeat(side, axis=0).repeat(side, axis=1))
    draw = ImageDraw.Draw(sheet)
    words = [[whole_number(value) if whole else short_number(value) for value in row] for row in values.tolist()]
    longest = max((each for row in words for each in row), key=len)
    size = next((size for size in range(side // 3, 7, -1) if text.font(size).getlength(longest) <= side - 4), 7)
    for y, row in enumerate(words):
        for x, number in enumerate(row):
            place = ((x + 0.5) * side, (y + 0.5) * side)
            draw.text(place, number, fill=_letters_on(cells[y, x]), font=text.font(size), anchor="mm")
    return np.asarray(sheet)


def short_number(value: float) -> str:
    """Return a number with two digits after the point, without a zero before it: −.25."""
    words = f"{abs(value):.2f}"
    sign = "−" if value < 0 and float(words) else ""
    return sign + (words.removeprefix("0"))


def whole_number(value: float) -> str:
    """Return a number without digits after the point."""
    words = f"{abs(value):.0f}"
    return f"−{words}" if value < 0 and words != "0" else words


def _letters_on(colour: UInt8[np.ndarray, " 3"]) -> Colour:
    red, green, blue = colour.tolist()
    return LIGHT if 0.299 * red + 0.587 * green + 0.114 * blue < _HALF else DARK
