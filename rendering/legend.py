"""Write what the colours of a picture mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from rendering.text import INK, PAPER, Colour, font, shortened

_ROW, _SWATCH, _LETTERS, _MARGIN = 22, 14, 13, 6  # pixels


def legend(entries: Sequence[tuple[Colour, str]], width: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return a line for each entry: a square of its colour, and its words. Words that are too long are cut."""
    sheet = Image.new("RGB", (width, _ROW * len(entries) + _MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    left = _MARGIN + _SWATCH + 8
    for number, (colour, words) in enumerate(entries):
        middle = _MARGIN // 2 + _ROW * number + _ROW // 2
        draw.rectangle((_MARGIN, middle - _SWATCH // 2, _MARGIN + _SWATCH, middle + _SWATCH // 2), fill=colour, outline=INK)
        draw.text((left, middle), shortened(words, font(_LETTERS), width - left - _MARGIN), fill=INK, font=font(_LETTERS), anchor="lm")
    return np.asarray(sheet)
