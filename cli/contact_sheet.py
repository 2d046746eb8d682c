"""Draw all pictures of the demo on one sheet, each under its title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

_WIDTH = 1600
_MARGIN = 32
_GAP = 24
_HEADING_SIZE, _TITLE_SIZE, _CAPTION_SIZE = 28, 18, 13
_TITLE_HEIGHT = 44  # of a title and its caption, above a picture
_LARGEST_SCALE = 1.6  # no picture is enlarged further
_BACKGROUND, _INK, _PALE = (255, 255, 255), (20, 20, 20), (110, 110, 110)


@dataclass(frozen=True)
class SheetTile:
    """A picture, its title, and a caption that says how it was made."""

    title: str
    caption: str
    picture: Image.Image


def contact_sheet(heading: str, rows: Sequence[Sequence[SheetTile]]) -> Image.Image:
    """Draw the rows under each other and return an RGB image, 1,600 pixels wide.

    The pictures of a row stand side by side, have one height, and fill the width of the sheet together.
    """
    scaled = [[_scaled(tile, height) for tile in row] for row in rows for height in [_row_height(row)]]
    heights = [_TITLE_HEIGHT + max(tile.picture.height for tile in row) for row in scaled]
    sheet = Image.new("RGB", (_WIDTH, 2 * _MARGIN + _TITLE_HEIGHT + sum(heights) + _GAP * len(rows)), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), heading, fill=_INK, font=ImageFont.load_default(_HEADING_SIZE))
    top = _MARGIN + _TITLE_HEIGHT + _GAP
    for row, height in zip(scaled, heights, strict=True):
        left = _MARGIN
        for tile in row:
            _label(draw, tile, (left, top))
            sheet.paste(tile.picture, (left, top + _TITLE_HEIGHT))
            left += tile.picture.width + _GAP
        top += height + _GAP
    return sheet


def _row_height(row: Sequence[SheetTile]) -> int:
    """Return the height, in pixels, at which the row's pictures fill the width of the sheet together."""
    aspects = sum(tile.picture.width / tile.picture.height for tile in row)
    fits = (_WIDTH - 2 * _MARGIN - _GAP * (len(row) - 1)) / aspects
    return int(min(fits, _LARGEST_SCALE * max(tile.picture.height for tile in row)))


def _scaled(tile: SheetTile, height: int) -> SheetTile:
    picture = tile.picture.convert("RGB")
    width = max(1, round(picture.width * height / picture.height))
    # Nearest neighbour keeps the cells of an enlarged grid of small maps sharp.
    method = Image.Resampling.NEAREST if height > picture.height else Image.Resampling.LANCZOS
    return SheetTile(tile.title, tile.caption, picture.resize((width, height), method))


def _label(draw: ImageDraw.ImageDraw, tile: SheetTile, corner: tuple[int, int]) -> None:
    left, top = corner
    room = tile.picture.width
    for text, size, ink, offset in ((tile.title, _TITLE_SIZE, _INK, 0), (tile.caption, _CAPTION_SIZE, _PALE, 22)):
        draw.text((left, top + offset), _shortened(draw, text, size, room), fill=ink, font=ImageFont.load_default(size))


def _shortened(draw: ImageDraw.ImageDraw, text: str, size: int, room: int) -> str:
    font = ImageFont.load_default(size)
    if draw.textlength(text, font=font) <= room:
        return text
    while text and draw.textlength(text + "…", font=font) > room:
        text = text[:-1]
    return text.rstrip() + "…"
