"""Draw shares before and after a change as pairs of bars, as a chart of its own or as a tile of a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from rendering.charts.style import BLUE, FAINT, FRAME, ORANGE, PLOT_WIDTH, TRACK
from rendering.text import INK, PAPER, font, shortened

LEFT, LABEL_WIDTH, NUMBERS_WIDTH, TOP, ROW = 16, 250, 230, 62, 34  # pixels
_TILE_TOP, _TILE_ROW = 26, 54  # pixels: the legend of a tile, and each of its rows


@dataclass(frozen=True)
class ChangedShare:
    """A name, and its share (0-1) before and after."""

    label: str
    before: float
    after: float


def before_after(rows: Sequence[ChangedShare], title: str) -> UInt8[np.ndarray, "H W 3"]:
    """Draw for each row a bar before and a bar after, the two numbers, and their difference in percentage points."""
    sheet = Image.new("RGB", (PLOT_WIDTH, TOP + ROW * len(rows) + 10), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((LEFT, 10), shortened(title, font(14), PLOT_WIDTH - 2 * LEFT), fill=INK, font=font(14), anchor="la")
    start, stop = LEFT + LABEL_WIDTH, PLOT_WIDTH - LEFT - NUMBERS_WIDTH
    _draw_legend(draw, start, 44)
    for index, row in enumerate(rows):
        y = TOP + ROW * index
        draw.text((LEFT, y + 12), shortened(row.label, font(13), LABEL_WIDTH - 12), fill=INK, font=font(13), anchor="lm")
        _draw_bars(draw, row, (start, stop), y)
        draw.text((stop + 12, y + 12), _both(row), fill=INK, font=font(13), anchor="lm")
        difference = 100 * (row.after - row.before)
        words = f"{difference:+.1f}".replace("-", "−")
        colour = BLUE if difference > 0 else ORANGE
        draw.text((PLOT_WIDTH - LEFT, y + 12), words, fill=colour, font=font(13, bold=True), anchor="rm")
    return np.asarray(sheet)


def before_after_tile(rows: Sequence[ChangedShare], size: tuple[int, int]) -> UInt8[np.ndarray, "H W 3"]:
    """Return a tile of `size` (height, width) pixels with the rows under a legend: words on top, and the two bars below them.

    Rows for which there is no room are left out.
    """
    height, width = size
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    left, right = LEFT, width - LEFT
    _draw_legend(draw, left, 10)
    for index, row in enumerate(rows[: (height - _TILE_TOP) // _TILE_ROW]):
        y = _TILE_TOP + _TILE_ROW * index
        numbers = _both(row)
        draw.text((right, y + 9), numbers, fill=INK, font=font(14), anchor="rm")
        room = right - left - font(14).getlength(numbers) - 12
        draw.text((left, y + 9), shortened(row.label, font(14), room), fill=INK, font=font(14), anchor="lm")
        _draw_bars(draw, row, (left, right), y + 20)
    return np.asarray(sheet)


def _draw_legend(draw: ImageDraw.ImageDraw, left: int, middle: int) -> None:
    for x, colour, name in ((left, FRAME, "before"), (left + 90, BLUE, "after")):
        draw.rectangle((x, middle - 5, x + 12, middle + 5), fill=colour)
        draw.text((x + 18, middle), name, fill=FAINT, font=font(12), anchor="lm")


def _draw_bars(draw: ImageDraw.ImageDraw, row: ChangedShare, ends: tuple[int, int], top: int) -> None:
    start, stop = ends
    for y, share, colour in ((top, row.before, FRAME), (top + 13, row.after, BLUE)):
        draw.rectangle((start, y, stop, y + 10), fill=TRACK)
        if share > 0:
            draw.rectangle((start, y, start + max(1, round(share * (stop - start))), y + 10), fill=colour)


def _both(row: ChangedShare) -> str:
    return f"{row.before:.1%} → {row.after:.1%}"
