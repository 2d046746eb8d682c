"""The channels of an array, each from its own smallest value to its largest."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray

from rendering.channel_grid import channel_grid, channel_grid_size
from rendering.channel_levels import scale_all_channels
from rendering.drawings.base import Drawing, SourceArrays


class StretchedChannels(Drawing):
    """Three channels as red, green and blue, one channel in grey, and any other number as tiles.

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
        levels = stretched_channels(arrays[self.source].astype(np.float32, copy=False))
        if self.tiles or levels.shape[2] not in (1, 3):
            return channel_grid(levels.astype(np.float32), mode="global", colours="gray", span=(0.0, 255.0))
        return levels if levels.shape[2] == 3 else np.repeat(levels, 3, axis=2)


def stretched_channels(maps: Float32[np.ndarray, "h w k"]) -> UInt8[np.ndarray, "h w k"]:
    """Return levels of 0-255: the minimum of each channel becomes 0, its maximum 255."""
    return np.concatenate([scale_all_channels(maps[..., channel : channel + 1]) for channel in range(maps.shape[2])], axis=2)
