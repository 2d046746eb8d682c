"""Put named axes around a picture whose rows and columns are counted: a matrix, or tiles in rows and columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from rendering import text
from rendering.charts.axes import ticks
from rendering.charts.style import FAINT

TICK, GAP = 4, 3  # pixels: the length of a tick, and the distance of words


@dataclass(frozen=True)
class CountedAxis:
    """The name of an axis, and the words of each row or column."""

    name: str
    labels: Sequence[str]


def counted_axis(name: str, count: int) -> CountedAxis:
    """Return an axis whose rows or columns are counted from 0."""
    return CountedAxis(name, [str(number) for number in range(count)])


def with_axes(picture: UInt8[np.ndarray, "h w 3"], down: CountedAxis, across: CountedAxis, letters: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return the picture with an axis on its left and one above it. Its own pixels are as before.

    If there is no room for the words of each row or column, only some have words, at round steps. The sheet is as wide as the name of the
    columns needs.

    Args:
        picture: Rows and columns of equal sizes.
        down: The axis of the rows, the uppermost first.
        across: The axis of the columns.
        letters: The height of the letters, in pixels.
    """
    height, width = picture.shape[:2]
    face, line = text.font(letters), text.line_height(letters)
    left = line + math.ceil(max(face.getlength(label) for label in down.labels)) + TICK + GAP
    top = 2 * line
    named = left + math.ceil(face.getlength(text.drawable(across.name)))
    sheet = Image.new("RGB", (max(left + width, named), top + height), text.PAPER)
    sheet.paste(Image.fromarray(picture), (left, top))
    draw = ImageDraw.Draw(sheet)
    widest = max(face.getlength(label) for label in across.labels) + letters
    for index, middle in _places(len(across.labels), width, widest):
        draw.line((left + middle, top - TICK, left + middle, top - 1), fill=FAINT)
        draw.text((left + middle, top - TICK - GAP), across.labels[index], fill=text.INK, font=face, anchor="ms")
    for index, middle in _places(len(down.labels), height, 1.2 * letters):
        draw.line((left - TICK, top + middle, left - 1, top + middle), fill=FAINT)
        draw.text((left - TICK - GAP, top + middle), down.labels[index], fill=text.INK, font=face, anchor="rm")
    draw.text((left, line / 2), text.drawable(across.name), fill=FAINT, font=face, anchor="lm")
    sheet.paste(_upwards(down.name, letters, height), (0, top))
    return np.asarray(sheet)


def _places(count: int, length: int, room: float) -> list[tuple[int, float]]:
    """Return which of `count` rows or columns have words, and the pixel in the middle of each. Words need `room` pixels."""
    side = length / count
    if side >= room or count == 1:
        chosen = list(range(count))
    else:
        chosen = [round(value) for value, _ in ticks(0, count - 1, wanted=max(1, int(length / room / 2)), whole=True)]
    return [(index, (index + 0.5) * side) for index in chosen]


def _upwards(words: str, letters: int, length: int) -> Image.Image:
    """Return words that are written upwards, in a strip of `length` pixels, at its upper end."""
    strip = Image.new("RGB", (length, text.line_height(letters)), text.PAPER)
    face = text.font(letters)
    draw = ImageDraw.Draw(strip)
    draw.text((length, strip.height / 2), text.shortened(words, face, length), fill=FAINT, font=face, anchor="rm")
    return strip.rotate(90, expand=True)
