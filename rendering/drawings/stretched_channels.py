"""The channels of an array, each from its own smallest value to its largest. A channel of one value is grey."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy.typing import NDArray

from rendering.channel_grid import CONSTANT, channel_grid, channel_grid_size
from rendering.channel_levels import scale_all_channels
from rendering.drawings.base import Drawing, SourceArrays


class StretchedChannels(Drawing):
    """Three channels as red, green and blue, one channel in grey, and any other number as tiles.

    A channel whose values are all equal is a tile of one grey. As one of three colours it adds nothing, and if all three are such
    channels, the picture is that grey.

    Attributes:
        source: The name of the array, (h, w, k).
        tiles: If it is true, the channels are tiles whatever their number.
    """

    kind: Literal["stretched_channels"] = "stretched_channels"
    source: str
    tiles: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def size(self, arrays: SourceArrays) -> tuple[int, int]:
        height, width, count = arrays[self.source].shape
        return channel_grid_size(count, height, width) if self.tiles or count not in (1, 3) else (height, width)

    def draw(self, arrays: SourceArrays, photo: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        maps = arrays[self.source].astype(np.float32, copy=False)
        levels, flat = stretched_channels(maps), constant_channels(maps)
        in_colour = not self.tiles and levels.shape[2] == 3
        if not in_colour or flat.all():
            levels[..., flat] = CONSTANT[0]
        if self.tiles or levels.shape[2] not in (1, 3):
            return channel_grid(levels.astype(np.float32), mode="global", colours="gray", span=(0.0, 255.0))
        return levels if levels.shape[2] == 3 else np.repeat(levels, 3, axis=2)


def constant_channels(maps: Float32[np.ndarray, "h w k"]) -> Bool[np.ndarray, " k"]:
    """Return which channels have equal values everywhere."""
    return np.asarray(maps.min(axis=(0, 1)) == maps.max(axis=(0, 1)))


def stretched_channels(maps: Float32[np.ndarray, "h w k"]) -> UInt8[np.ndarray, "h w k"]:
    """Return levels of 0-255: the minimum of each channel becomes 0, its maximum 255. A channel of equal values becomes 0."""
    return np.concatenate([scale_all_channels(maps[..., channel : channel + 1]) for channel in range(maps.shape[2])], axis=2)
