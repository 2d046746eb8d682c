"""Lay out pictures of different sizes side by side, each in a box of one size under its caption."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from rendering import text
from rendering.grid import grid

LONGEST, SHORTEST = 400, 120  # pixels of a box's longer side, and the least of its shorter one
GAP, LETTERS = 10, 13  # pixels between boxes, and height of a caption's letters


@dataclass(frozen=True)
class CaptionedPicture:
    """A picture and the words above it."""

    caption: str
    picture: UInt8[np.ndarray, "h w 3"]


def side_by_side(pictures: Sequence[CaptionedPicture], shape: tuple[int, int], columns: int | None = None) -> UInt8[np.ndarray, "H W 3"]:
    """Return the pictures in a grid on white, from left to right, up to four in a row or up to `columns`.

    Each picture fills as much as it can of a box with the proportions of `shape` (height, width) and a longer side of 400 pixels. It
    is reduced by averaging, and enlarged without smoothing so that the single pixels of a small map can be seen.
    """
    share = LONGEST / max(shape)
    height, width = (max(SHORTEST, round(side * share)) for side in shape)
    tiles = np.stack([fit_in_box(each.picture, height, width) for each in pictures])
    captioned = text.captioned(tiles, [each.caption for each in pictures], LETTERS)
    return grid(captioned, columns=columns or min(4, math.ceil(math.sqrt(len(pictures)))), gap=GAP, background=text.PAPER)


def fit_in_box(picture: UInt8[np.ndarray, "h w 3"], height: int, width: int) -> UInt8[np.ndarray, "H W 3"]:
    """Return the picture in the middle of a white box of `height` × `width` pixels, as large as it can be."""
    share = min(height / picture.shape[0], width / picture.shape[1])
    size = (max(1, round(picture.shape[1] * share)), max(1, round(picture.shape[0] * share)))
    fitted = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_NEAREST)
    box = np.full((height, width, 3), text.PAPER, np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    box[top : top + size[1], left : left + size[0]] = fitted
    return box
