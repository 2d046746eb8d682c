"""A layer's channels as tiles, or the values of a dense layer as a plot, under a title."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from rendering import text
from rendering.channel_grid import channel_grid, channel_grid_size
from rendering.charts.axes import PLOT_HEIGHT
from rendering.charts.style import PLOT_WIDTH
from rendering.charts.values import unit_values
from rendering.drawings.base import Drawing, SourceArrays
from rendering.scaling import finite
from rendering.titles import TITLE_WIDTH, titled, titled_size
from schemas.methods.colormap import Colormap

LETTERS, SMALLER, WIDEST_NOTE = 13, 2, 640  # pixels: the title, by how much the note is smaller, and the note's width in a small picture
WIDE = 1000  # pixels: a picture that is wider has larger letters, because it is shown smaller


class LayerChannels(Drawing):
    """The activations (…, w, K) of a layer. Axes before the last two are rows. Values that are not finite are drawn as 0.

    Attributes:
        source: The name of the array.
        title: The words above the picture.
        scaling: `from_zero`, `per_channel` or `global`, as in `channel_grid`. With `global`, the range is that of the whole layer.
        colormap: The colours of the tiles.
        columns: The number of tiles in a row. If it is None, it is ⌈√n⌉.
        channels: The channels that are drawn, in this order and with their numbers above them. None stands for all.
        note: A line below the picture, or nothing if it is empty. A dense layer has none.
        numbers: If it is true and all channels are drawn, tiles of 40 pixels or more carry their number in a corner. If it is
            true, channels that are nearly the same everywhere are grey too.
    """

    kind: Literal["layer_channels"] = "layer_channels"
    source: str
    title: str
    scaling: Literal["from_zero", "per_channel", "global"]
    colormap: Colormap
    columns: int | None = None
    channels: tuple[int, ...] | None = None
    note: str = ""
    numbers: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def size(self, arrays: SourceArrays) -> tuple[int, int]:
        array = arrays[self.source]
        if array.ndim == 1:
            return titled_size(2 * PLOT_HEIGHT, PLOT_WIDTH)
        width, count = array.shape[-2:]
        height, drawn = array.size // (width * count), count if self.channels is None else len(self.channels)
        size = channel_grid_size(drawn, height, width, columns=self.columns, captioned=self.channels is not None)
        if not self.note:
            return titled_size(*size)
        letters = _letters(size[1])
        high, wide = titled_size(*size, least=self._least(letters), size=letters)
        return high + text.line_height(letters - SMALLER), wide

    def draw(self, arrays: SourceArrays, photo: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        picture = self.untitled(arrays)
        if not self.note or arrays[self.source].ndim == 1:
            return titled(picture, self.title)
        letters = _letters(picture.shape[1])
        found = titled(picture, self.title, least=self._least(letters), size=letters)
        return np.concatenate([found, text.line(self.note, found.shape[1], letters - SMALLER)])

    def _least(self, letters: int) -> int:
        """Return the width that the words need, in pixels, up to `WIDEST_NOTE`."""
        below = letters - SMALLER
        lengths = (text.font(letters).getlength(self.title) + letters, text.font(below).getlength(self.note) + below)
        return min(WIDEST_NOTE, math.ceil(max(TITLE_WIDTH, *lengths)) + 2)

    def untitled(self, arrays: SourceArrays) -> UInt8[np.ndarray, "H W 3"]:
        """Return the picture without its title."""
        array = finite(arrays[self.source].astype(np.float32, copy=False))
        if array.ndim == 1:
            return unit_values(array)
        maps = array.reshape(-1, *array.shape[-2:])
        return channel_grid(
            maps if self.channels is None else maps[..., list(self.channels)],
            mode=self.scaling,
            colours=self.colormap,
            columns=self.columns,
            captions=None if self.channels is None else [str(channel) for channel in self.channels],
            numbers=self.numbers,
            nearly=self.numbers,
            span=(float(maps.min()), float(maps.max())),
        )


def _letters(width: int) -> int:
    """Return the height in pixels of the letters above a picture of this width."""
    return max(LETTERS, round(LETTERS * width / WIDE))
