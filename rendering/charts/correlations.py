"""Draw correlation coefficients as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from rendering.charts.axes import PLOT_BOX
from rendering.charts.style import BLUE, FAINT, PLOT_WIDTH, TRACK
from rendering.text import INK, PAPER, font, shortened


@dataclass(frozen=True)
class Correlation:
    """One row of the chart: its label, and a coefficient of −1 to 1, or None if there is none."""

    label: str
    value: float | None


def correlations(rows: Sequence[Correlation], title: str, meaning: str = "") -> UInt8[np.ndarray, "H W 3"]:
    """Draw a row for each correlation: its label, a bar on a track from −1 to 1 that starts at 0, and its number.

    Below the title stands what the numbers mean. A row without a coefficient has "–" in the place of the number.
    """
    row_height, top, label_width = 26, 62 if meaning else 40, 440
    sheet = Image.new("RGB", (PLOT_WIDTH, top + row_height * len(rows) + 16), PAPER)
    draw = ImageDraw.Draw(sheet)
    left, right = PLOT_BOX[0], PLOT_BOX[2]
    draw.text((left, 10), title, fill=INK, font=font(14), anchor="la")
    draw.text((left, 32), shortened(meaning, font(12), right - left), fill=FAINT, font=font(12), anchor="la")
    start, stop = left + label_width, right - 60
    middle = (start + stop) / 2
    for index, row in enumerate(rows):
        y = top + index * row_height
        draw.text((left, y + 9), shortened(row.label, font(13), label_width - 16), fill=INK, font=font(13), anchor="lm")
        draw.rectangle((start, y + 3, stop, y + 15), fill=TRACK)
        value = 0.0 if row.value is None else min(max(row.value, -1.0), 1.0)
        first, last = sorted((middle, middle + value * (stop - middle)))
        draw.rectangle((first, y + 3, last, y + 15), fill=BLUE)
        draw.line((middle, y, middle, y + 18), fill=FAINT)
        number = "–" if row.value is None else f"{row.value:.2f}".replace("-", "−")
        draw.text((right, y + 9), number, fill=INK, font=font(13, bold=True), anchor="rm")
    return np.asarray(sheet)
