"""Draw the scale of a map's colours: a bar that says which colour stands for which value."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from rendering import text
from rendering.charts.style import FAINT, FRAME


@dataclass(frozen=True)
class ColourScale:
    """The colours of a map from its lower end to its upper end, uint8 (256, 3), and the words at places of it (0 is the lower end).

    Where two words would be too near each other, the later one is left out.
    """

    colours: UInt8[np.ndarray, "256 3"]
    labels: tuple[tuple[float, str], ...]


def draw_scale(sheet: Image.Image, scale: ColourScale, corner: tuple[int, int], height: int, letters: int) -> None:
    """Draw the bar of colours with its words on its right.

    Args:
        sheet: The picture to draw on.
        scale: The colours and the words.
        corner: The place (left, top) of the bar, in pixels. Its frame is outside of it.
        height: The height of the bar, in pixels.
        letters: The height of the letters, in pixels. The bar is as wide.
    """
    left, top = corner
    draw = ImageDraw.Draw(sheet)
    levels = np.rint(np.linspace(255, 0, height)).astype(np.uint8)
    sheet.paste(Image.fromarray(np.repeat(scale.colours[levels][:, None], letters, axis=1)), (left, top))
    draw.rectangle((left - 1, top - 1, left + letters, top + height), outline=FRAME)
    face, right = text.font(letters), left + letters
    taken: list[int] = []
    for place, words in scale.labels:
        y = top + round((1 - place) * (height - 1))
        if all(abs(y - other) >= letters for other in taken):
            taken.append(y)
            draw.line((right + 1, y, right + letters // 3, y), fill=FAINT)
            inside = min(max(y, top + letters / 2), top + height - letters / 2)
            text.write(draw, (right + letters // 2, inside), words, face)


def scale_width(scale: ColourScale, letters: int) -> int:
    """Return the width in pixels of the bar and its words."""
    face = text.font(letters)
    return letters + letters // 2 + math.ceil(max((text.length(words, face) for _, words in scale.labels), default=0.0))
