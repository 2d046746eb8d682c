"""All the demo's pictures on one sheet, each under its title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

_WIDTH = 1600
_MARGIN = 32
_GAP = 24
_TITLE, _TEXT = 22, 15  # font sizes
_HEAD = 44  # height of a row's titles
_LARGEST = 1.6  # no picture is blown up further
_BACKGROUND, _INK, _PALE = (255, 255, 255), (20, 20, 20), (110, 110, 110)


@dataclass(frozen=True)
class Panel:
    """A picture, a title and a line that says how it was made."""

    title: str
    caption: str
    picture: Image.Image


def contact_sheet(heading: str, rows: Sequence[Sequence[Panel]]) -> Image.Image:
    """RGB picture, 1,600 pixels wide: each row's panels at one height, side by side over the whole width."""
    scaled = [[_scaled(panel, height) for panel in row] for row in rows for height in [_row_height(row)]]
    heights = [_HEAD + max(panel.picture.height for panel in row) for row in scaled]
    sheet = Image.new("RGB", (_WIDTH, 2 * _MARGIN + _HEAD + sum(heights) + _GAP * len(rows)), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), heading, fill=_INK, font=ImageFont.load_default(_TITLE + 6))
    top = _MARGIN + _HEAD + _GAP
    for row, height in zip(scaled, heights, strict=True):
        left = _MARGIN
        for panel in row:
            _label(draw, panel, (left, top))
            sheet.paste(panel.picture, (left, top + _HEAD))
            left += panel.picture.width + _GAP
        top += height + _GAP
    return sheet


def _row_height(row: Sequence[Panel]) -> int:
    """The height at which the row's pictures fill the width together."""
    aspects = sum(panel.picture.width / panel.picture.height for panel in row)
    fits = (_WIDTH - 2 * _MARGIN - _GAP * (len(row) - 1)) / aspects
    return int(min(fits, _LARGEST * max(panel.picture.height for panel in row)))


def _scaled(panel: Panel, height: int) -> Panel:
    picture = panel.picture.convert("RGB")
    width = max(1, round(picture.width * height / picture.height))
    # Grids of small maps stay grids when enlarged.
    method = Image.Resampling.NEAREST if height > picture.height else Image.Resampling.LANCZOS
    return Panel(panel.title, panel.caption, picture.resize((width, height), method))


def _label(draw: ImageDraw.ImageDraw, panel: Panel, corner: tuple[int, int]) -> None:
    left, top = corner
    room = panel.picture.width
    for text, size, ink, offset in ((panel.title, _TITLE - 4, _INK, 0), (panel.caption, _TEXT - 2, _PALE, 22)):
        draw.text((left, top + offset), _shortened(draw, text, size, room), fill=ink, font=ImageFont.load_default(size))


def _shortened(draw: ImageDraw.ImageDraw, text: str, size: int, room: int) -> str:
    font = ImageFont.load_default(size)
    if draw.textlength(text, font=font) <= room:
        return text
    while text and draw.textlength(text + "…", font=font) > room:
        text = text[:-1]
    return text.rstrip() + "…"
