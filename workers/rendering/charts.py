"""Charts, drawn with Pillow: in a few milliseconds, the same bytes each time, and no plotting library in the worker's imports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from PIL import Image, ImageDraw

from workers.rendering.text import INK, PAPER, Colour, font, shortened

BLUE: Colour = (31, 119, 180)
ORANGE: Colour = (222, 112, 21)
TRACK: Colour = (233, 237, 242)
FAINT: Colour = (110, 110, 110)
FRAME: Colour = (190, 190, 190)
PLOT_WIDTH, PLOT_HEIGHT = 900, 240
PLOT_BOX = (64, 34, PLOT_WIDTH - 24, PLOT_HEIGHT - 36)
# Curves: higher, with a line of words under the title.
LEGEND, CURVES_HEIGHT = 26, 380
CURVES_BOX = (64, 34 + LEGEND, PLOT_WIDTH - 24, CURVES_HEIGHT - 36)


@dataclass(frozen=True)
class Curve:
    """A line through (x, y), and its words in the legend."""

    label: str
    x: Float64[np.ndarray, " k"]
    y: Float64[np.ndarray, " k"]


@dataclass(frozen=True)
class Correlation:
    """One row: −1 to 1, or None where there is none."""

    label: str
    value: float | None


def units(values: Float32[np.ndarray, " k"]) -> UInt8[np.ndarray, "H W 3"]:
    """A dense layer's units: every value as a bar over its index, and the histogram of the positive ones in 100 bins.

    Source: the Caffe notebook 'Classification: Instant Recognition with Caffe', its view of fc6.
    """
    positive = values[values > 0]
    if not len(positive):
        nothing = Image.new("RGB", (PLOT_WIDTH, PLOT_HEIGHT), PAPER)
        ImageDraw.Draw(nothing).text((64, 10), "No unit has a positive value", fill=INK, font=font(14), anchor="la")
        below = np.asarray(nothing)
    else:
        below = histogram(positive, f"Histogram of the {len(positive):,} positive values of {len(values):,}", low=0.0)
    return np.concatenate([by_index(values, "Value of each unit, by index"), below])


def by_index(values: Float32[np.ndarray, " k"], title: str) -> UInt8[np.ndarray, "H W 3"]:
    """Every value as a bar from 0, over its index."""
    sheet = Image.new("RGB", (PLOT_WIDTH, PLOT_HEIGHT), PAPER)
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    panel = _Panel(ImageDraw.Draw(sheet), PLOT_BOX, (-0.5, len(values) - 0.5), (low, high))
    panel.frame(title, whole_x=True)
    for index, value in enumerate(values.tolist()):
        panel.bar(index - 0.5, index + 0.5, value)
    return np.asarray(sheet)


def histogram(values: Float32[np.ndarray, " k"], title: str, *, low: float | None = None) -> UInt8[np.ndarray, "H W 3"]:
    """How many values fall into each of 100 bins from `low`, or the smallest value, to the largest."""
    sheet = Image.new("RGB", (PLOT_WIDTH, PLOT_HEIGHT), PAPER)
    exact = values.astype(np.float64)  # float32 has no 100 bins between nearly equal values
    counts, edges = np.histogram(exact, bins=100, range=(float(exact.min()) if low is None else low, float(exact.max())))
    panel = _Panel(ImageDraw.Draw(sheet), PLOT_BOX, (float(edges[0]), float(edges[-1])), (0.0, float(counts.max())))
    panel.frame(title, whole_y=True)
    for count, start, stop in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        panel.bar(start, stop, count)
    return np.asarray(sheet)


def curves(lines: Sequence[Curve], title: str) -> UInt8[np.ndarray, "H W 3"]:
    """One or two lines over one axis, each with its words below the title."""
    sheet = Image.new("RGB", (PLOT_WIDTH, CURVES_HEIGHT), PAPER)
    draw = ImageDraw.Draw(sheet)
    x, y = (np.concatenate(values) for values in zip(*((line.x, line.y) for line in lines), strict=True))
    low, high = min(0.0, float(y.min())), max(0.0, float(y.max())) * 1.05
    panel = _Panel(draw, CURVES_BOX, (float(x.min()), float(x.max())), (low, high))
    panel.frame(title, above=LEGEND)
    left = float(CURVES_BOX[0])
    for line, colour in zip(lines, (BLUE, ORANGE), strict=False):
        panel.line(line, colour)
        draw.line((left, CURVES_BOX[1] - 14, left + 22, CURVES_BOX[1] - 14), fill=colour, width=3)
        draw.text((left + 30, CURVES_BOX[1] - 14), line.label, fill=INK, font=font(13), anchor="lm")
        left += 60 + font(13).getlength(line.label)
    return np.asarray(sheet)


def correlations(rows: Sequence[Correlation], title: str) -> UInt8[np.ndarray, "H W 3"]:
    """Each row's words, its bar from 0 to the left or right on a track from −1 to 1, and its number; '–' where there is none."""
    row, top, words = 26, 40, 440
    sheet = Image.new("RGB", (PLOT_WIDTH, top + row * len(rows) + 16), PAPER)
    draw = ImageDraw.Draw(sheet)
    left, right = PLOT_BOX[0], PLOT_BOX[2]
    draw.text((left, 10), title, fill=INK, font=font(14), anchor="la")
    start, stop = left + words, right - 60
    middle = (start + stop) / 2
    for index, each in enumerate(rows):
        y = top + index * row
        draw.text((left, y + 9), shortened(each.label, font(13), words - 16), fill=INK, font=font(13), anchor="lm")
        draw.rectangle((start, y + 3, stop, y + 15), fill=TRACK)
        value = 0.0 if each.value is None else min(max(each.value, -1.0), 1.0)
        first, last = sorted((middle, middle + value * (stop - middle)))
        draw.rectangle((first, y + 3, last, y + 15), fill=BLUE)
        draw.line((middle, y, middle, y + 18), fill=FAINT)
        draw.text(
            (right, y + 9),
            "–" if each.value is None else f"{each.value:.2f}".replace("-", "−"),
            fill=INK,
            font=font(13, bold=True),
            anchor="rm",
        )
    return np.asarray(sheet)


class _Panel:
    """Axes in a box (left, top, right, bottom) of a picture; values outside the ranges do not occur."""

    def __init__(
        self, draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], across: tuple[float, float], up: tuple[float, float]
    ) -> None:
        self._draw, self._box, self._across = draw, box, across
        self._up = up if up[1] > up[0] else (up[0], up[0] + 1.0)

    def frame(self, title: str, *, whole_x: bool = False, whole_y: bool = False, above: int = 0) -> None:
        """Title, border and ticks; `whole`: an axis that counts, without ticks between whole numbers; `above`: pixels between."""
        left, top, right, bottom = self._box
        title = shortened(title, font(14), right - left)
        self._draw.text((left, top - 24 - above), title, fill=INK, font=font(14), anchor="la")
        self._draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=FRAME)
        for value, words in _ticks(*self._across, wanted=9, whole=whole_x):
            x = self._x(value)
            self._draw.line((x, bottom + 1, x, bottom + 5), fill=FRAME)
            self._draw.text((x, bottom + 8), words, fill=FAINT, font=font(11), anchor="ma")
        for value, words in _ticks(*self._up, wanted=5, whole=whole_y):
            y = self._y(value)
            self._draw.line((left - 5, y, left - 1, y), fill=FRAME)
            self._draw.text((left - 8, y), words, fill=FAINT, font=font(11), anchor="rm")

    def bar(self, start: float, stop: float, value: float) -> None:
        """From 0 to `value`, between `start` and `stop`, with a gap where there is room for one."""
        left, right = self._x(start), self._x(stop)
        right -= 2 if right - left >= 4 else 1
        top, bottom = sorted((self._y(0.0), self._y(value)))
        if value:
            self._draw.rectangle((left, top, max(left, right), bottom), fill=BLUE)

    def line(self, curve: Curve, colour: Colour) -> None:
        points = [(self._x(x), self._y(y)) for x, y in zip(curve.x.tolist(), curve.y.tolist(), strict=True)]
        self._draw.line(points, fill=colour, width=2, joint="curve")

    def _x(self, value: float) -> int:
        start, stop = self._across
        return round(self._box[0] + (value - start) / (stop - start) * (self._box[2] - self._box[0]))

    def _y(self, value: float) -> int:
        low, high = self._up
        return round(self._box[3] - (value - low) / (high - low) * (self._box[3] - self._box[1]))


def _ticks(low: float, high: float, *, wanted: int, whole: bool) -> list[tuple[float, str]]:
    """Round values in low–high, about `wanted` of them, a step of 1, 2 or 5 times a power of ten apart, and their words."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    if whole:
        step = max(step, 1.0)
    multiples = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [(index * step, f"{index * step:.6g}") for index in multiples]
