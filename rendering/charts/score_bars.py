"""Draw shares from 0 to 1 as bars with error bars, beside the words of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from rendering.charts.style import BLUE, FAINT, FRAME, PLOT_WIDTH, TRACK
from rendering.text import INK, PAPER, Colour, font, shortened

GREY: Colour = (150, 150, 150)
NAMES, WORDS, ROW, TOP, BOTTOM, MARGIN = 190, 270, 40, 12, 30, 16  # pixels


@dataclass(frozen=True)
class ScoreBar:
    """A bar.

    Attributes:
        name: the words on the left.
        value: the length of the bar, 0-1.
        spread: half the length of the error bar.
        points: single values, drawn as small circles.
        stars: words above the end of the error bar, such as "**".
        words: one or two lines on the right.
        grey: whether the bar is drawn in grey, because the others are compared with it.
    """

    name: str
    value: float
    spread: float
    points: Sequence[float] = ()
    stars: str = ""
    words: tuple[str, ...] = ()
    grey: bool = False


def score_bars(bars: Sequence[ScoreBar], level: float, across: str) -> UInt8[np.ndarray, "H W 3"]:
    """Return the bars under one another, with a scale from 0 to 1 below them.

    Args:
        bars: the bars from top to bottom.
        level: a value to compare the bars with, drawn as a thin line through all of them.
        across: the name of the scale.
    """
    height = TOP + ROW * len(bars) + BOTTOM
    sheet = Image.new("RGB", (PLOT_WIDTH, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    left, right = MARGIN + NAMES, PLOT_WIDTH - WORDS - MARGIN
    bottom = height - BOTTOM

    def x(value: float) -> int:
        return round(left + min(max(value, 0.0), 1.0) * (right - left))

    for number, bar in enumerate(bars):
        middle = TOP + ROW * number + ROW // 2
        face = font(14)
        draw.text((left - 12, middle), shortened(bar.name, face, NAMES - 12), fill=INK, font=face, anchor="rm")
        draw.rectangle((left, middle - 9, right, middle + 9), fill=TRACK)
        draw.rectangle((left, middle - 9, x(bar.value), middle + 9), fill=GREY if bar.grey else BLUE)
        for value in bar.points:
            draw.ellipse((x(value) - 2, middle - 2, x(value) + 2, middle + 2), fill=PAPER, outline=INK)
        _error_bar(draw, x(bar.value - bar.spread), x(bar.value + bar.spread), middle)
        draw.text((right + 10, middle - 8 * (len(bar.words) - 1)), bar.stars, fill=INK, font=font(16, bold=True), anchor="lm")
        for line, words in enumerate(bar.words):
            place = middle + 15 * line - 7 * (len(bar.words) - 1)
            draw.text((right + 44, place), shortened(words, font(12), WORDS - 40), fill=INK, font=font(12), anchor="lm")
    draw.line((x(level), TOP, x(level), bottom), fill=FAINT)
    draw.line((left, bottom, right, bottom), fill=FRAME)
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        draw.line((x(tick), bottom, x(tick), bottom + 4), fill=FRAME)
        draw.text((x(tick), bottom + 6), f"{tick:g}", fill=FAINT, font=font(11), anchor="ma")
    draw.text((right + 44, bottom + 6), shortened(across, font(11), WORDS - 44), fill=FAINT, font=font(11), anchor="la")
    return np.asarray(sheet)


def _error_bar(draw: ImageDraw.ImageDraw, start: int, stop: int, middle: int) -> None:
    draw.line((start, middle, stop, middle), fill=INK, width=2)
    for end in (start, stop):
        draw.line((end, middle - 5, end, middle + 5), fill=INK, width=2)
