"""Put titles over pictures, and titled pictures under one another."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

from rendering import text

SHEET_WIDTH = 1024
TITLE_WIDTH = 240


def titled(picture: UInt8[np.ndarray, "h w 3"], title: str, *, least: int = TITLE_WIDTH, size: int = 13) -> UInt8[np.ndarray, "H W 3"]:
    """Return the picture under its title, in letters of `size` pixels. A picture narrower than `least` pixels is widened on the right."""
    width = max(picture.shape[1], least)
    return np.concatenate([text.line(title, width, size), widened(picture, width)], axis=0)


def titled_size(height: int, width: int, *, least: int = TITLE_WIDTH, size: int = 13) -> tuple[int, int]:
    """Return the (height, width) of a picture of `height` × `width` under its title."""
    return height + text.line_height(size), max(width, least)


def titled_sheet(pictures: Sequence[UInt8[np.ndarray, "_ _ 3"]], titles: Sequence[str]) -> UInt8[np.ndarray, "H W 3"]:
    """Return the pictures under one another, each under its title. A picture wider than the sheet (1,024 pixels) is reduced to it."""
    rows: list[np.ndarray] = []
    for picture, title in zip(pictures, titles, strict=True):
        rows += [text.line(title, SHEET_WIDTH), widened(narrowed(picture, SHEET_WIDTH), SHEET_WIDTH)]
    return np.concatenate(rows, axis=0)


def narrowed(picture: UInt8[np.ndarray, "_ _ 3"], most: int) -> UInt8[np.ndarray, "_ _ 3"]:
    """Return a picture that is wider than `most` pixels at this width, and any other unchanged."""
    height, width = picture.shape[:2]
    if width <= most:
        return picture
    return np.asarray(cv2.resize(picture, (most, max(1, round(height * most / width))), interpolation=cv2.INTER_AREA), np.uint8)


def widened(picture: UInt8[np.ndarray, "h w 3"], width: int) -> UInt8[np.ndarray, "h W 3"]:
    """Return the picture with white on its right, so that it has at least this width."""
    if picture.shape[1] >= width:
        return picture
    paper = np.full((picture.shape[0], width - picture.shape[1], 3), text.PAPER, np.uint8)
    return np.concatenate([picture, paper], axis=1)
