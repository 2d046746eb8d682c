"""Sheets: the pictures of several classes or channels as tiles of one picture, with captions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import UInt8

from rendering import text
from rendering.grid import grid
from rendering.overlays import OverlayAndHeatmap
from rendering.photo import Photo
from schemas.methods.facts import Prediction
from workers.methods.class_scores import class_name

# A sheet of several tiles stays below this many pixels: its tiles are drawn smaller than the photo if they must be.
MAX_SHEET_PIXELS = 25_000_000


def class_sheets(
    drawn: Sequence[OverlayAndHeatmap], classes: Sequence[Prediction], photo: Photo
) -> tuple[UInt8[np.ndarray, "sheet_h sheet_w 3"], UInt8[np.ndarray, "sheet_h sheet_w 3"]]:
    """Return one overlay and one heatmap. For several classes, each is a sheet with a tile for each class under the class's name.

    Args:
        drawn: overlay and heatmap of each class, all of the size of `photo`.
        classes: the classes, in the same order.
        photo: the photo in the size that it is drawn in.
    """
    if len(drawn) == 1:
        return drawn[0]
    captions = [f"{class_name(scored)} · {scored.probability:.1%}" for scored in classes]
    overlay, heatmap = (captioned_sheet(tiles, captions, photo) for tiles in zip(*drawn, strict=True))
    return overlay, heatmap


def captioned_sheet(
    tiles: Sequence[UInt8[np.ndarray, "h w 3"]], captions: Sequence[str], photo: Photo, columns: int | None = None
) -> UInt8[np.ndarray, "sheet_h sheet_w 3"]:
    """Return the tiles in a grid, each under its caption. If `columns` is None, the grid is about as wide as high."""
    return grid(text.captioned(np.stack(tiles), captions, caption_size(photo)), columns=columns, gap=4, background=text.PAPER)


def caption_size(photo: Photo) -> int:
    """Return the height in pixels of the letters over a photo: a share of the photo's width, 10 to 40."""
    return int(np.clip(photo.image.shape[1] / 26, 10, 40))


def photo_for_tiles(photo: Photo, count: int) -> Photo:
    """Return the photo, made smaller if `count` tiles of its size would exceed `MAX_SHEET_PIXELS`. One tile is never made smaller."""
    height, width = photo.image.shape[:2]
    if count == 1 or count * height * width <= MAX_SHEET_PIXELS:
        return photo
    share = math.sqrt(MAX_SHEET_PIXELS / (count * height * width))
    size = (max(1, int(height * share)), max(1, int(width * share)))
    image = np.asarray(cv2.resize(photo.image, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    top, left, source_height, source_width = photo.placement.source
    vertical, horizontal = size[0] / height, size[1] / width
    source = (top * vertical, left * horizontal, source_height * vertical, source_width * horizontal)
    return Photo(image, replace(photo.placement, source=source))


def smaller_tiles_warning(what: str, drawn: Photo, photo: Photo) -> Iterator[str]:
    """Yield a warning if `photo_for_tiles` made the photo smaller. `what` names the tiles, for example "3 classes"."""
    if drawn is not photo:
        height, width = drawn.image.shape[:2]
        yield f"The image is large and the sheet shows {what}, so each tile is drawn at {width} × {height} pixels."
