"""Sheets: pictures over one photo as tiles of one picture, with captions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import UInt8

from rendering import text
from rendering.grid import grid, grid_size
from rendering.photo import Photo

# A sheet of several tiles stays below this many pixels: its tiles are drawn smaller than the photo if they must be.
MAX_SHEET_PIXELS = 25_000_000
GAP = 4  # pixels between two tiles


def captioned_sheet(
    tiles: Sequence[UInt8[np.ndarray, "h w 3"]], captions: Sequence[str], photo: Photo, columns: int | None = None
) -> UInt8[np.ndarray, "sheet_h sheet_w 3"]:
    """Return the tiles in a grid, each under its caption. If `columns` is None, the grid is about as wide as high."""
    return grid(text.captioned(np.stack(tiles), captions, caption_size(photo)), columns=columns, gap=GAP, background=text.PAPER)


def captioned_sheet_size(count: int, photo: Photo) -> tuple[int, int]:
    """Return the (height, width) of the captioned sheet of `count` tiles of the photo's size."""
    height, width = photo.image.shape[:2]
    return grid_size(count, height + text.line_height(caption_size(photo)), width, gap=GAP)


def caption_size(photo: Photo) -> int:
    """Return the height in pixels of the letters over a photo: a share of the photo's width, 10 to 40."""
    return int(np.clip(photo.image.shape[1] / 26, 10, 40))


def photo_for_tiles(photo: Photo, count: int) -> Photo:
    """Return the photo, made smaller if `count` tiles of its size would exceed `MAX_SHEET_PIXELS`. One tile is never made smaller."""
    height, width = photo.image.shape[:2]
    if count == 1 or count * height * width <= MAX_SHEET_PIXELS:
        return photo
    return _reduced(photo, math.sqrt(MAX_SHEET_PIXELS / (count * height * width)))


def photo_within(photo: Photo, height: int, width: int) -> Photo:
    """Return the photo, made smaller if it is larger than a box of `height` × `width` pixels, so that it just fits into the box."""
    share = min(height / photo.image.shape[0], width / photo.image.shape[1])
    return photo if share >= 1 else _reduced(photo, share)


def _reduced(photo: Photo, share: float) -> Photo:
    """Return the photo with each side times `share`, which is below 1, and at least 1 pixel."""
    height, width = photo.image.shape[:2]
    size = (max(1, int(height * share)), max(1, int(width * share)))
    image = np.asarray(cv2.resize(photo.image, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    top, left, source_height, source_width = photo.placement.source
    vertical, horizontal = size[0] / height, size[1] / width
    source = (top * vertical, left * horizontal, source_height * vertical, source_width * horizontal)
    return Photo(image, replace(photo.placement, source=source))
