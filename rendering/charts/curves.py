"""Plot one or two curves with a legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image, ImageDraw

from rendering.charts.axes import Axes
from rendering.charts.style import BLUE, ORANGE, PLOT_WIDTH
from rendering.text import INK, PAPER, font

LEGEND, HEIGHT = 26, 380  # pixels: the line of words under the title, and the whole plot
BOX = (64, 34 + LEGEND, PLOT_WIDTH - 24, HEIGHT - 36)


@dataclass(frozen=True)
class Curve:
    """A line through the points (x, y), and its words in the legend."""

    label: str
    x: Float64[np.ndarray, " k"]
    y: Float64[np.ndarray, " k"]


def curves(lines: Sequence[Curve], title: str) -> UInt8[np.ndarray, "H W 3"]:
    """Plot one or two curves over one x axis, with a legend below the title."""
    sheet = Image.new("RGB", (PLOT_WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(sheet)
    x, y = (np.concatenate(values) for values in zip(*((line.x, line.y) for line in lines), strict=True))
    low, high = min(0.0, float(y.min())), max(0.0, float(y.max())) * 1.05
    axes = Axes(draw, BOX, (float(x.min()), float(x.max())), (low, high))
    axes.frame(title, above=LEGEND)
    left = float(BOX[0])
    for line, colour in zip(lines, (BLUE, ORANGE), strict=False):
        axes.line(line.x.tolist(), line.y.tolist(), colour)
        draw.line((left, BOX[1] - 14, left + 22, BOX[1] - 14), fill=colour, width=3)
        draw.text((left + 30, BOX[1] - 14), line.label, fill=INK, font=font(13), anchor="lm")
        left += 60 + font(13).getlength(line.label)
    return np.asarray(sheet)
