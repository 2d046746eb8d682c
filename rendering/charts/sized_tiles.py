"""Pictures of different sizes in the cells of a grid, each with its words below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from rendering.charts.style import FAINT, FRAME
from rendering.text import INK, PAPER, font, line_height, shortened

_GAP, _LETTERS, _SCALE_LETTERS = 4, 11, 12  # pixels


@dataclass(frozen=True)
class SizedTile:
    """A picture in a cell. Its longer side is `share` (0-1) of the cell's side. `words` stand below it, if there is room."""

    picture: UInt8[np.ndarray, "h w 3"]
    row: int
    column: int
    share: float
    words: str = ""


def sized_tiles(tiles: Sequence[SizedTile], side: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return the pictures in the middle of their cells, on white. Rows and columns without a picture are left out at the grid's edges.

    Args:
        tiles: one picture or more.
        side: the side of a cell in pixels. A cell is higher by a line of words if a picture has any.
    """
    rows, columns = [each.row for each in tiles], [each.column for each in tiles]
    strip = line_height(_LETTERS) if any(each.words for each in tiles) else 0
    step = (side + strip + _GAP, side + _GAP)
    height, width = (step[axis] * (max(at) - min(at) + 1) - _GAP for axis, at in enumerate((rows, columns)))
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    for each in tiles:
        top, left = step[0] * (each.row - min(rows)), step[1] * (each.column - min(columns))
        picture = _resized(each.picture, max(1, round(side * each.share)))
        corner = (left + (side - picture.shape[1]) // 2, top + (side - picture.shape[0]) // 2)
        sheet.paste(Image.fromarray(picture), corner)
        if each.words:
            place = (left + side / 2, corner[1] + picture.shape[0] + strip / 2)
            draw.text(place, shortened(each.words, font(_LETTERS), side + _GAP), fill=INK, font=font(_LETTERS), anchor="mm")
    return np.asarray(sheet)


def size_scale(entries: Sequence[tuple[float, str]], words: str, side: int, width: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return a line that says what the sizes of `sized_tiles` mean: words, and for each entry a square of its share and its number."""
    face = font(_SCALE_LETTERS)
    sheet = Image.new("RGB", (width, max(round(side * max(share for share, _ in entries)), line_height(_SCALE_LETTERS)) + 2 * _GAP), PAPER)
    draw, middle = ImageDraw.Draw(sheet), sheet.height / 2
    draw.text((_GAP, middle), words, fill=INK, font=face, anchor="lm")
    left = 2 * _GAP + face.getlength(words)
    for share, number in entries:
        half, left = side * share / 2, left + 3 * _GAP
        draw.rectangle((left, middle - half, left + 2 * half, middle + half), outline=FRAME)
        draw.text((left + half, middle), number, fill=FAINT, font=face, anchor="mm")
        left += 2 * half
    return np.asarray(sheet)


def _resized(picture: UInt8[np.ndarray, "h w 3"], longer: int) -> UInt8[np.ndarray, "H W 3"]:
    share = longer / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * share)), max(1, round(picture.shape[0] * share)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC), np.uint8)
