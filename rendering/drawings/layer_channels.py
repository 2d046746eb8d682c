"""A layer's channels as tiles, or the values of a dense layer as a plot, under a title."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from rendering.annotations import PictureWords, annotated, annotated_size, letters_for
from rendering.channel_grid import channel_grid, channel_grid_size
from rendering.charts.axes import PLOT_HEIGHT
from rendering.charts.style import PLOT_WIDTH
from rendering.charts.values import unit_values
from rendering.drawings.base import Drawing, SourceArrays
from rendering.scaling import finite
from rendering.titles import titled, titled_size
from schemas.methods.colormap import Colormap


class LayerChannels(Drawing):
    """The activations (…, w, K) of a layer. Axes before the last two are rows. Values that are not finite are drawn as 0.

    Attributes:
        source: The name of the array.
        title: The words above a picture without `parts`.
        scaling: `from_zero`, `per_channel` or `global`, as in `channel_grid`. With `global`, the range is that of the whole layer.
        colormap: The colours of the tiles.
        columns: The number of tiles in a row. If it is None, it is ⌈√n⌉.
        channels: The channels that are drawn, in this order and with their numbers above them. None stands for all.
        note: Words below a picture with `parts`, or nothing if it is empty.
        numbers: If it is true, the numbers of channels stand in letters that can be read at half the size: above the tiles if `channels`
            are given, and otherwise in a corner of tiles of 40 pixels or more. Channels that are nearly the same everywhere are grey too.
        parts: The words above the picture: the method, the model, and the layer with its shape. If there are none, `title` stands there.
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
    parts: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def size(self, arrays: SourceArrays) -> tuple[int, int]:
        size = self._bare_size(arrays)
        return annotated_size(*size, self._words(*size), scale=False) if self.parts else titled_size(*size)

    def _bare_size(self, arrays: SourceArrays) -> tuple[int, int]:
        array = arrays[self.source]
        if array.ndim == 1:
            return 2 * PLOT_HEIGHT, PLOT_WIDTH
        width, count = array.shape[-2:]
        height, drawn = array.size // (width * count), count if self.channels is None else len(self.channels)
        return channel_grid_size(drawn, height, width, columns=self.columns, captioned=self.channels is not None, numbers=self.numbers)

    def _words(self, height: int, width: int) -> PictureWords:
        return PictureWords(self.parts, note=self.note, letters=letters_for(width, height))

    def draw(self, arrays: SourceArrays, photo: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        picture = self.untitled(arrays)
        return annotated(picture, self._words(*picture.shape[:2]), None) if self.parts else titled(picture, self.title)

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
