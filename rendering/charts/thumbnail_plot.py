"""Plot photos as thumbnails at their places on a plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from rendering.charts.axes import Axes
from rendering.charts.style import FAINT, FRAME, PLOT_WIDTH
from rendering.text import PAPER, font
from rendering.tile_numbers import numbered

BOX = (64, 58, PLOT_WIDTH - 24, 640)
HEIGHT = 700


@dataclass(frozen=True)
class Thumbnail:
    """A photo, its place (x, y) on the plane, and the words in its corner."""

    photo: UInt8[np.ndarray, "h w 3"]
    place: tuple[float, float]
    words: str


def thumbnail_plot(thumbnails: Sequence[Thumbnail], title: str, *, across: str, up: str, side: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return a plot of the photos, each centred at its place. Both axes have the same scale, so distances can be compared.

    Args:
        thumbnails: The photos. Later ones lie over earlier ones where they overlap.
        title: The words above.
        across: The name of the x axis.
        up: The name of the y axis.
        side: The longer side of a thumbnail, in pixels.
    """
    sheet = Image.new("RGB", (PLOT_WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(sheet)
    left, top, right, bottom = BOX
    places = np.array([each.place for each in thumbnails], np.float64)
    inner = (right - left - side - 4, bottom - top - side - 4)
    middle, scale = _fit(places, inner)
    spans = ((right - left) / scale, (bottom - top) / scale)
    x_range, y_range = ((float(middle[axis] - spans[axis] / 2), float(middle[axis] + spans[axis] / 2)) for axis in (0, 1))
    Axes(draw, BOX, x_range, y_range).frame(title, above=20)
    draw.text((left, top - 18), up, fill=FAINT, font=font(12), anchor="la")
    draw.text(((left + right) / 2, bottom + 28), across, fill=FAINT, font=font(12), anchor="ma")
    for each, (x, y) in zip(thumbnails, places, strict=True):
        centre = ((left + right) / 2 + (x - middle[0]) * scale, (top + bottom) / 2 - (y - middle[1]) * scale)
        _paste(sheet, draw, each, centre, side)
    return np.asarray(sheet)


def _fit(places: np.ndarray, inner: tuple[int, int]) -> tuple[np.ndarray, float]:
    """Return the middle of the places, and the pixels of a unit with which all places lie inside a box of `inner` pixels."""
    low, high = places.min(axis=0), places.max(axis=0)
    scales = [size / span for size, span in zip(inner, high - low, strict=True) if span > 0]
    return (low + high) / 2, min(scales, default=float(min(inner)))


def _paste(sheet: Image.Image, draw: ImageDraw.ImageDraw, thumbnail: Thumbnail, centre: tuple[float, float], side: int) -> None:
    height, width = thumbnail.photo.shape[:2]
    share = side / max(height, width)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    photo = cv2.resize(thumbnail.photo, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_NEAREST)
    corner = (round(centre[0] - size[0] / 2), round(centre[1] - size[1] / 2))
    draw.rectangle((corner[0] - 1, corner[1] - 1, corner[0] + size[0], corner[1] + size[1]), outline=FRAME)
    (marked,) = numbered(np.asarray(photo, np.uint8)[None], [thumbnail.words])
    sheet.paste(Image.fromarray(marked), corner)
