"""Draw shares before and after a change as pairs of bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from rendering.charts.style import BLUE, FAINT, FRAME, ORANGE, PLOT_WIDTH, TRACK
from rendering.text import INK, PAPER, font, shortened

LEFT, LABEL_WIDTH, NUMBERS_WIDTH, TOP, ROW = 16, 250, 230, 62, 34  # pixels


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
    for x, colour, name in ((start, FRAME, "before"), (start + 90, BLUE, "after")):
        draw.rectangle((x, 39, x + 12, 49), fill=colour)
        draw.text((x + 18, 44), name, fill=FAINT, font=font(12), anchor="lm")
    for index, row in enumerate(rows):
        y = TOP + ROW * index
        draw.text((LEFT, y + 12), shortened(row.label, font(13), LABEL_WIDTH - 12), fill=INK, font=font(13), anchor="lm")
        for top, share, colour in ((y, row.before, FRAME), (y + 13, row.after, BLUE)):
            draw.rectangle((start, top, stop, top + 10), fill=TRACK)
            if share > 0:
                draw.rectangle((start, top, start + max(1, round(share * (stop - start))), top + 10), fill=colour)
        draw.text((stop + 12, y + 12), f"{row.before:.1%} → {row.after:.1%}", fill=INK, font=font(13), anchor="lm")
        difference = 100 * (row.after - row.before)
        words = f"{difference:+.1f}".replace("-", "−")
        colour = BLUE if difference > 0 else ORANGE
        draw.text((PLOT_WIDTH - LEFT, y + 12), words, fill=colour, font=font(13, bold=True), anchor="rm")
    return np.asarray(sheet)
