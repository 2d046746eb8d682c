"""Differentiate a large image tile by tile, so that one call holds the device for a short time only.

The tiles are shifted at random before each step, so that their edges are never at the same places and leave no seams. Source: Mordvintsev,
the notebook deepdream.ipynb of TensorFlow's examples (`calc_grad_tiled`), 2015. There each tile's gradient is divided by its own deviation;
here all tiles are put together first, and the whole gradient is divided by its mean, as in a step without tiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
import tensorflow as tf

from workers.engine.ascent.dream_step import DreamTileResult

TILE_SHIFTS = 1  # the stream of random numbers of the tiles' shifts, beside that of the jitter


@dataclass(frozen=True)
class TileBox:
    """The part of an image that a tile covers: rows `top` to `bottom` and columns `left` to `right`, the ends not included."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def area(self) -> int:
        return (self.bottom - self.top) * (self.right - self.left)


def tile_boxes(shape: tuple[int, int], most: int) -> list[TileBox]:
    """Return the fewest tiles of at most `most` pixels a side that cover an image (height, width), row by row.

    The sides of two tiles differ by at most one pixel.
    """
    rows, columns = (_cuts(side, most) for side in shape)
    return [TileBox(top, bottom, left, right) for (top, bottom), (left, right) in product(rows, columns)]


def tile_shifts(seed: int, octaves: int, steps: int, most: int) -> Any:
    """Return the shift of each step of each octave, int32 (octaves, steps, 2) from 0 to `most` - 1."""
    return np.random.default_rng([seed, TILE_SHIFTS]).integers(0, most, (octaves, steps, 2), np.int32)


class TiledGradient:
    """The gradient of one step, put together from its tiles.

    For example, with `most` 4, an image of 7 × 9 has six tiles, of 3 or 4 rows and 3 columns.
    """

    def __init__(self, image: Any, shift: Sequence[int], most: int) -> None:
        """Begin a step. `image` is (1, h, w, C); it is shifted by `shift` (rows, columns) and cut into tiles."""
        self._shift = tuple(int(each) for each in shift)
        self._rolled = tf.roll(image, self._shift, axis=(1, 2))
        self._gradient = np.zeros(image.shape, np.float32)
        self._boxes = tile_boxes((image.shape[1], image.shape[2]), most)
        self._loss = 0.0
        self._next = 0

    @property
    def is_complete(self) -> bool:
        return self._next == len(self._boxes)

    def next_tile(self) -> Any:
        """Return the next tile, (1, h, w, C)."""
        box = self._boxes[self._next]
        return self._rolled[:, box.top : box.bottom, box.left : box.right]

    def put(self, result: DreamTileResult) -> None:
        """Take the gradient and the loss of the tile that `next_tile` returned last."""
        box = self._boxes[self._next]
        self._gradient[:, box.top : box.bottom, box.left : box.right] = result.gradient
        self._loss += float(result.loss) * box.area
        self._next += 1

    def whole(self) -> tuple[Any, float]:
        """Return the gradient (1, h, w, C) of the image as it was before the shift, and the mean loss of its pixels."""
        down, right = self._shift
        gradient = tf.roll(tf.constant(self._gradient), (-down, -right), axis=(1, 2))
        return gradient, self._loss / sum(box.area for box in self._boxes)


def _cuts(side: int, most: int) -> list[tuple[int, int]]:
    count = -(-side // most)
    ends = [round(index * side / count) for index in range(count + 1)]
    return list(pairwise(ends))
