"""The picture that an input of a model shows."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rendering.drawings.base import Drawing, SourceArrays

_COLOURS = 3


class InputPicture(Drawing):
    """An array (h, w, c) in the units of a model's input, as the picture that it was made from: x·std + mean, in levels of 0-255.

    One channel is drawn as grey. Of more than three channels, the first three are drawn, and of two the first.

    Attributes:
        source: The name of the array.
        mean, std: One number each, or one for each channel.
        reverse: Whether the channels are in BGR order.
    """

    kind: Literal["input_picture"] = "input_picture"
    source: str = "input"
    mean: tuple[float, ...]
    std: tuple[float, ...]
    reverse: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def size(self, arrays: SourceArrays) -> tuple[int, int]:
        height, width = arrays[self.source].shape[:2]
        return height, width

    def draw(self, arrays: SourceArrays, photo: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        pixels = arrays[self.source].astype(np.float32, copy=False) * np.asarray(self.std, np.float32) + np.asarray(self.mean, np.float32)
        levels = np.clip(np.rint(np.nan_to_num(pixels, posinf=0, neginf=0)), 0, 255).astype(np.uint8)
        if levels.shape[-1] < _COLOURS:
            return np.repeat(levels[..., :1], _COLOURS, axis=-1)
        levels = levels[..., :_COLOURS]
        return np.ascontiguousarray(levels[..., ::-1]) if self.reverse else levels
