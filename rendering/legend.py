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


def legend_with_bars(entries: Sequence[tuple[Colour, str, float]], width: int, words: int = 260) -> UInt8[np.ndarray, "H W 3"]:
    """Return a line for each entry: its words, and a bar of its colour and of its length, 0-1 of the rest of the width.

    Args:
        entries: colour, words and length of each line. A length above 1 is drawn as 1.
        width: the width of the picture in pixels.
        words: the width of the words in pixels.
    """
    sheet = Image.new("RGB", (width, _ROW * len(entries) + _MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    left, longest = words + 2 * _MARGIN, width - words - 3 * _MARGIN
    for number, (colour, text, share) in enumerate(entries):
        middle = _MARGIN // 2 + _ROW * number + _ROW // 2
        draw.text((_MARGIN, middle), shortened(text, font(_LETTERS), words), fill=INK, font=font(_LETTERS), anchor="lm")
        end = left + max(1, round(longest * min(max(share, 0.0), 1.0)))
        draw.rectangle((left, middle - _SWATCH // 2, end, middle + _SWATCH // 2), fill=colour, outline=INK)
    return np.asarray(sheet)
