"""Draw axes, ticks, bars and lines in a box of a picture; all plots with axes are made of these."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from PIL import ImageDraw

from rendering.charts.style import BLUE, FAINT, FRAME, PLOT_WIDTH
from rendering.text import INK, Colour, font, shortened

PLOT_HEIGHT = 240  # pixels
PLOT_BOX = (64, 34, PLOT_WIDTH - 24, PLOT_HEIGHT - 36)


class Axes:
    """Two axes in a box (left, top, right, bottom) of a picture, in pixels. Callers give only values inside the axes' ranges."""

    def __init__(
        self, draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], across: tuple[float, float], up: tuple[float, float]
    ) -> None:
        self._draw, self._box, self._across = draw, box, across
        self._up = up if up[1] > up[0] else (up[0], up[0] + 1.0)

    def frame(self, title: str, *, whole_x: bool = False, whole_y: bool = False, above: int = 0) -> None:
        """Draw the title, the border and the ticks.

        Args:
            title: Words above the box.
            whole_x: The x axis counts something, so it has ticks at whole numbers only.
            whole_y: The y axis counts something, so it has ticks at whole numbers only.
            above: Pixels between the title and the box, for a legend.
        """
        left, top, right, bottom = self._box
        title = shortened(title, font(14), right - left)
        self._draw.text((left, top - 24 - above), title, fill=INK, font=font(14), anchor="la")
        self._draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=FRAME)
        for value, words in ticks(*self._across, wanted=9, whole=whole_x):
            x = self._x(value)
            self._draw.line((x, bottom + 1, x, bottom + 5), fill=FRAME)
            self._draw.text((x, bottom + 8), words, fill=FAINT, font=font(11), anchor="ma")
        for value, words in ticks(*self._up, wanted=5, whole=whole_y):
            y = self._y(value)
            self._draw.line((left - 5, y, left - 1, y), fill=FRAME)
            self._draw.text((left - 8, y), words, fill=FAINT, font=font(11), anchor="rm")

    def bar(self, start: float, stop: float, value: float) -> None:
        """Draw a bar from 0 to `value` between `start` and `stop`, with a gap after it if there is room for one."""
        left, right = self._x(start), self._x(stop)
        right -= 2 if right - left >= 4 else 1
        top, bottom = sorted((self._y(0.0), self._y(value)))
        if value:
            self._draw.rectangle((left, top, max(left, right), bottom), fill=BLUE)

    def line(self, x: Sequence[float], y: Sequence[float], colour: Colour, *, dashed: bool = False) -> None:
        """Draw a line through the points (x, y)."""
        points = [(self._x(across), self._y(up)) for across, up in zip(x, y, strict=True)]
        if not dashed:
            self._draw.line(points, fill=colour, width=2, joint="curve")
            return
        for part in _dashes(points):
            self._draw.line(part, fill=colour, width=2)

    def level(self, value: float, label: str) -> None:
        """Draw a thin line across the box at a value of the y axis, with its name at the right end."""
        left, top, right, _ = self._box
        y = self._y(value)
        self._draw.line((left, y, right, y), fill=FAINT, width=1)
        above = y - 2 if y - 14 > top else y + 14
        self._draw.text((right - 4, above), label, fill=FAINT, font=font(11), anchor="rs")

    def _x(self, value: float) -> int:
        start, stop = self._across
        return round(self._box[0] + (value - start) / (stop - start) * (self._box[2] - self._box[0]))

    def _y(self, value: float) -> int:
        low, high = self._up
        return round(self._box[3] - (value - low) / (high - low) * (self._box[3] - self._box[1]))


def _dashes(points: Sequence[tuple[int, int]], dash: float = 7, gap: float = 5) -> Iterator[tuple[float, float, float, float]]:
    """Yield the dashes (x, y, x, y) of a line through the points."""
    walked = 0.0
    for (x, y), (next_x, next_y) in pairwise(points):
        length, done = math.hypot(next_x - x, next_y - y), 0.0
        while done < length:
            place = (walked + done) % (dash + gap)
            step = min(length - done, (dash if place < dash else dash + gap) - place)
            if place < dash:
                first, last = done / length, (done + step) / length
                yield x + first * (next_x - x), y + first * (next_y - y), x + last * (next_x - x), y + last * (next_y - y)
            done += max(step, 1e-6)
        walked += length


def ticks(low: float, high: float, *, wanted: int, whole: bool) -> list[tuple[float, str]]:
    """Return about `wanted` round values from `low` to `high` and their words. They are 1, 2 or 5 times a power of ten apart."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    if whole:
        step = max(step, 1.0)
    multiples = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [(index * step, f"{index * step:.6g}") for index in multiples]
