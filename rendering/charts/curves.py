"""Plot curves with a legend, named axes, and a level to compare them with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image, ImageDraw

from rendering.charts.axes import Axes
from rendering.charts.style import BLUE, FAINT, ORANGE, PLOT_WIDTH
from rendering.text import INK, PAPER, font, shortened

COLOURS = (BLUE, ORANGE)
LINE, AXIS_NAME, HEIGHT = 22, 24, 380  # pixels: a line of the legend, the name of the x axis, and the plot without both


@dataclass(frozen=True)
class Curve:
    """A line through the points (x, y), and its words in the legend."""

    label: str
    x: Float64[np.ndarray, " k"]
    y: Float64[np.ndarray, " k"]
    dashed: bool = False


@dataclass(frozen=True)
class Level:
    """A value of the y axis that is drawn as a thin line across the plot, and its name."""

    label: str
    value: float


def curves(lines: Sequence[Curve], title: str, *, across: str = "", up: str = "", level: Level | None = None) -> UInt8[np.ndarray, "H W 3"]:
    """Plot curves over one x axis, with a legend below the title. Two colours take turns.

    Args:
        lines: The curves.
        title: The words above.
        across: The name of the x axis, which stands below it.
        up: The name of the y axis, which stands above it on the left.
        level: A value of the y axis to compare the curves with.
    """
    box = box_of(len(lines), has_name=bool(up))
    legend = box[1] - 34
    sheet = Image.new("RGB", (PLOT_WIDTH, HEIGHT + legend + (AXIS_NAME if across else 0)), PAPER)
    draw = ImageDraw.Draw(sheet)
    x = np.concatenate([line.x for line in lines])
    y = np.concatenate([*(line.y for line in lines), [] if level is None else [level.value]])
    low, high = min(0.0, float(y.min())), max(0.0, float(y.max())) * 1.05
    axes = Axes(draw, box, (float(x.min()), float(x.max())), (low, high))
    axes.frame(title, above=legend)
    for index, line in enumerate(lines):
        colour, middle = COLOURS[index % len(COLOURS)], 34 + LINE * index + LINE // 2
        axes.line(line.x.tolist(), line.y.tolist(), colour, dashed=line.dashed)
        _sample(draw, box[0], middle, colour, dashed=line.dashed)
        words = shortened(line.label, font(13), box[2] - box[0] - 38)
        draw.text((box[0] + 38, middle), words, fill=INK, font=font(13), anchor="lm")
    if level is not None:
        axes.level(level.value, level.label)
    draw.text((box[0], box[1] - 8), up, fill=FAINT, font=font(12), anchor="ls")
    draw.text(((box[0] + box[2]) / 2, box[3] + 28), across, fill=FAINT, font=font(12), anchor="ma")
    return np.asarray(sheet)


def box_of(lines: int, *, has_name: bool) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom) of the axes below a legend of so many lines. `has_name` says that the y axis has a name."""
    legend = LINE * (lines + has_name) + 4
    return 64, 34 + legend, PLOT_WIDTH - 24, HEIGHT + legend - 36


def _sample(draw: ImageDraw.ImageDraw, left: int, middle: int, colour: tuple[int, int, int], *, dashed: bool) -> None:
    for start, stop in ((0, 12), (18, 30)) if dashed else ((0, 30),):
        draw.line((left + start, middle, left + stop, middle), fill=colour, width=3)
