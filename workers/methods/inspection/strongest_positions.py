"""Find the strongest positions of many feature maps, for each channel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int64

# A value counts as a channel's lowest if it is above it by less than this share of the largest absolute value (rounding errors).
_ROUNDING = 1e-6


class StrongPosition(NamedTuple):
    """A position (y, x) in the map of an image, and the activation there."""

    image: int
    y: int
    x: int
    value: float


class PositionRanking:
    """Keep the `count` strongest positions of each channel, of all maps added so far, and at most `per_image` of one image.

    Two positions of one image are at least `apart[0]` rows or `apart[1]` columns apart. Of equal values, that of the earlier image is
    first. A channel's lowest value never counts as strong: after a ReLU it means that the channel does not respond.
    """

    def __init__(self, channels: int, count: int, per_image: int, apart: tuple[int, int]) -> None:
        self._per_image, self._apart = per_image, apart
        self._values = np.full((count, channels), -np.inf, np.float32)
        self._places = np.full((count, channels, 3), -1)
        self._lowest = np.full(channels, np.inf, np.float32)
        self._largest = 0.0
        self._images = 0

    def add(self, maps: Float32[np.ndarray, "n h w k"], seen: Bool[np.ndarray, "n h w"]) -> None:
        """Add the maps of the next n images. Positions that are not `seen` are ignored."""
        count, _, _, channels = maps.shape
        inside = seen[..., None]
        self._lowest = np.minimum(self._lowest, np.where(inside, maps, np.float32(np.inf)).min(axis=(0, 1, 2)))
        self._largest = max(self._largest, float(np.abs(maps).max()))
        values, places = strongest(np.where(inside, maps, np.float32(-np.inf)), self._per_image, self._apart)
        images = np.broadcast_to(np.arange(self._images, self._images + count)[:, None, None, None], (*values.shape, 1))
        new_places = np.concatenate([images, places], axis=-1).reshape(-1, channels, 3)
        self._images += count
        all_values = np.concatenate([self._values, values.reshape(-1, channels)])
        all_places = np.concatenate([self._places, new_places])
        best = np.argsort(-all_values, axis=0, kind="stable")[: len(self._values)]
        self._values = np.take_along_axis(all_values, best, axis=0)
        self._places = np.take_along_axis(all_places, best[..., None], axis=0)

    def of(self, channel: int) -> tuple[StrongPosition, ...]:
        """Return the positions of a channel, the strongest first."""
        kept = self._excites()[:, channel]
        values, places = self._values[kept, channel].tolist(), self._places[kept, channel].tolist()
        return tuple(StrongPosition(image, y, x, value) for (image, y, x), value in zip(places, values, strict=True))

    def by_strength(self) -> list[int]:
        """Return all channels, the one with the largest value first. Channels that are the same everywhere are last."""
        best = np.where(self._excites()[0], self._values[0], -np.inf)
        return np.argsort(-best, kind="stable").tolist()

    def _excites(self) -> Bool[np.ndarray, "c k"]:
        return self._values > self._lowest + _ROUNDING * self._largest


def strongest(
    maps: Float32[np.ndarray, "n h w k"], count: int, apart: tuple[int, int]
) -> tuple[Float32[np.ndarray, "n m k"], Int64[np.ndarray, "n m k 2"]]:
    """Return the `count` largest values of each map that are `apart` (rows, columns), and their (y, x). Missing values are −inf."""
    rest = maps.copy()
    images, height, width, channels = maps.shape
    rows, columns = np.arange(height)[:, None, None], np.arange(width)[:, None]
    values, places = np.empty((images, count, channels), np.float32), np.empty((images, count, channels, 2), np.int64)
    for number in range(count):
        flat = rest.reshape(images, height * width, channels)
        best = flat.argmax(axis=1)
        values[:, number] = np.take_along_axis(flat, best[:, None], axis=1)[:, 0]
        y, x = np.divmod(best, width)
        places[:, number] = np.stack([y, x], axis=-1)
        if number + 1 < count:
            near = (abs(rows - y[:, None, None]) < apart[0]) & (abs(columns - x[:, None, None]) < apart[1])
            rest[near] = -np.inf
    return values, places
