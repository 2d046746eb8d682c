"""Draw photos with bars for their classes: one photo large, or many photos as small tiles of a sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from rendering.charts.style import BLUE, TRACK
from rendering.text import INK, PAPER, font, shortened

# Pixels of a tile. A sheet of 256 tiles has 21 million pixels with 5 bars a tile, and 39 million with 10.
THUMBNAIL, MARGIN, CAPTION, TITLE = 120, 12, 18, 32


@dataclass(frozen=True)
class ClassBar:
    """One bar: its label, its value in words, and its length as a share (0-1) of the whole width."""

    label: str
    value: str
    share: float


@dataclass(frozen=True)
class PhotoWithBars:
    """A photo of a sheet, the words over it, and its bars."""

    caption: str
    photo: UInt8[np.ndarray, "h w 3"]
    bars: Sequence[ClassBar]


@dataclass(frozen=True)
class BarStyle:
    """Sizes in pixels. Each row of height `row` has its words on top and its bar below them, `thickness` high, at `bar`."""

    width: int
    row: int
    letters: int
    bar: int
    thickness: int

    def height(self, count: int) -> int:
        return (count - 1) * self.row + self.bar + self.thickness + 1


_LARGE = BarStyle(width=440, row=50, letters=16, bar=24, thickness=14)
_SMALL = BarStyle(width=270, row=30, letters=13, bar=18, thickness=6)


def bars_beside_photo(photo: UInt8[np.ndarray, "h w 3"], bars: Sequence[ClassBar]) -> UInt8[np.ndarray, "H W 3"]:
    """Return the photo, brought to about 320 × 300 pixels, with the bars to its right. A long label is cut and ends in "…"."""
    margin = 20
    image = _fitted(photo, width=320, height=300)
    left = image.shape[1] + 2 * margin
    sheet = Image.new("RGB", (left + _LARGE.width + margin, max(image.shape[0], _LARGE.height(len(bars))) + 2 * margin), PAPER)
    sheet.paste(Image.fromarray(image), (margin, margin))
    _draw_bars(ImageDraw.Draw(sheet), (left, margin), bars, _LARGE)
    return np.asarray(sheet)


def photo_sheet(title: str, photos: Sequence[PhotoWithBars]) -> UInt8[np.ndarray, "H W 3"]:
    """Return a sheet with a tile for each photo, from left to right under the title.

    A tile has a caption, below it the photo in at most 120 × 120 pixels, and the photo's bars to the right. All tiles are as high as
    the one with the most bars.
    """
    high = CAPTION + max(THUMBNAIL, _SMALL.height(max(len(one.bars) for one in photos))) + 2 * MARGIN
    wide = THUMBNAIL + _SMALL.width + 3 * MARGIN
    columns = math.ceil(math.sqrt(len(photos) * high / wide))
    canvas = Image.new("RGB", (columns * wide, TITLE + math.ceil(len(photos) / columns) * high), PAPER)
    draw = ImageDraw.Draw(canvas)
    draw.text((MARGIN, MARGIN), shortened(title, font(14), canvas.width - 2 * MARGIN), fill=INK, font=font(14), anchor="la")
    for index, one in enumerate(photos):
        left, top = index % columns * wide + MARGIN, TITLE + index // columns * high + MARGIN
        draw.text((left, top), shortened(one.caption, font(12), wide - 2 * MARGIN), fill=INK, font=font(12), anchor="la")
        canvas.paste(Image.fromarray(_fitted(one.photo, THUMBNAIL, THUMBNAIL)), (left, top + CAPTION))
        _draw_bars(draw, (left + THUMBNAIL + MARGIN, top + CAPTION), one.bars, _SMALL)
    return np.asarray(canvas)


def _draw_bars(draw: ImageDraw.ImageDraw, upper_left: tuple[int, int], bars: Sequence[ClassBar], style: BarStyle) -> None:
    face, strong = font(style.letters), font(style.letters, bold=True)
    left, right = upper_left[0], upper_left[0] + style.width
    for index, bar in enumerate(bars):
        top = upper_left[1] + index * style.row
        draw.text((right, top), bar.value, fill=INK, font=strong, anchor="ra")
        room = style.width - strong.getlength(bar.value) - style.letters
        draw.text((left, top), shortened(bar.label, face, room), fill=INK, font=face, anchor="la")
        length = round(min(max(bar.share, 0.0), 1.0) * (style.width - 1))
        draw.rectangle((left, top + style.bar, right - 1, top + style.bar + style.thickness), fill=TRACK)
        draw.rectangle((left, top + style.bar, left + length, top + style.bar + style.thickness), fill=BLUE)


def _fitted(photo: UInt8[np.ndarray, "h w 3"], width: int, height: int) -> UInt8[np.ndarray, "H W 3"]:
    share = min(width / photo.shape[1], height / photo.shape[0])
    size = (max(1, round(photo.shape[1] * share)), max(1, round(photo.shape[0] * share)))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC), np.uint8)
