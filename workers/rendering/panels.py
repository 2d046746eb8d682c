"""Pictures of any size side by side, each in a box of one size under its caption."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from workers.rendering import text
from workers.rendering.grid import grid

LONGEST, SHORTEST = 400, 120  # of a box's sides
GAP, LETTERS = 10, 13


@dataclass(frozen=True)
class Panel:
    caption: str
    picture: UInt8[np.ndarray, "h w 3"]


def panels(shown: Sequence[Panel], shape: tuple[int, int]) -> UInt8[np.ndarray, "H W 3"]:
    """All of `shown` in a grid on white, from left to right.

    Each is brought to fill as much as it can of a box shaped as `shape` (height, width), its longest side 400 pixels: reduced by
    averaging, enlarged without smoothing, so that one pixel of a small map is seen as such.
    """
    share = LONGEST / max(shape)
    height, width = (max(SHORTEST, round(side * share)) for side in shape)
    tiles = np.stack([boxed(panel.picture, height, width) for panel in shown])
    captioned = text.captioned(tiles, [panel.caption for panel in shown], LETTERS)
    return grid(captioned, columns=min(4, math.ceil(math.sqrt(len(shown)))), gap=GAP, background=text.PAPER)


def boxed(picture: UInt8[np.ndarray, "h w 3"], height: int, width: int) -> UInt8[np.ndarray, "H W 3"]:
    """In the middle of a white box of `height` × `width`, as large as it can be."""
    share = min(height / picture.shape[0], width / picture.shape[1])
    size = (max(1, round(picture.shape[1] * share)), max(1, round(picture.shape[0] * share)))
    fitted = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_NEAREST)
    box = np.full((height, width, 3), text.PAPER, np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    box[top : top + size[1], left : left + size[0]] = fitted
    return box
