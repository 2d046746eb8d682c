"""One synthesised image out of an array of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from rendering.drawings.base import Drawing, SourceArrays

DEAD_LEVEL, CROSS_LEVEL = 64, 128


@dataclass(frozen=True)
class StandardisedPicture:
    """Draw an image as (x − μ)/(σ + `epsilon`)·`contrast` + `level`, clipped to 0-255, rounded down, without a border of `crop` pixels."""

    contrast: float
    epsilon: float
    level: float
    crop: int = 0

    def __call__(self, image: Float[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "H W c"]:
        x = (image - image.mean()) / (image.std() + self.epsilon)
        x = x[self.crop : x.shape[0] - self.crop, self.crop : x.shape[1] - self.crop]
        return np.clip(x * self.contrast + self.level, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class PixelUnits:
    """The steps that draw an image in the units of a model's input: first (x − `offset`)/`scale`, then `picture`, then in RGB order.

    `scale` and `offset` are one number each, or one for each channel. `reverse` is true if the channels are in BGR order.
    """

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    picture: StandardisedPicture
    reverse: bool = False

    def draw(self, image: Float[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "H W c"]:
        """Return the image as levels of 0-255."""
        scale, offset = (np.array(numbers, image.dtype) for numbers in (self.scale, self.offset))
        drawn = self.picture((image - offset) / scale)
        return drawn[..., ::-1] if self.reverse else drawn


class SynthesisedImage(Drawing):
    """An image of an array (n, h, w, c). If no gradient ever reached it, a tile with a cross stands for it.

    Attributes:
        source: The name of the array.
        index: The number of the image in the array, from 0.
        units: How the image is drawn if it is in the units of a model's input. None stands for values of 0-1.
        dead: If it is true, the image is noise, and the tile with a cross is drawn.
    """

    kind: Literal["synthesised_image"] = "synthesised_image"
    source: str = "images"
    index: int
    units: PixelUnits | None = None
    dead: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def size(self, arrays: SourceArrays) -> tuple[int, int]:
        height, width = arrays[self.source].shape[1:3]
        border = 0 if self.units is None else 2 * self.units.picture.crop
        return height - border, width - border

    def draw(self, arrays: SourceArrays, photo: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        if self.dead:
            height, width = self.size(arrays)
            return dead_tile(height, width)
        image = arrays[self.source][self.index].astype(np.float32, copy=False)
        return as_rgb(np.rint(image * 255).astype(np.uint8) if self.units is None else self.units.draw(image))


def as_rgb(image: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w 3"]:
    """Return an image of three channels unchanged, and one of any other number as the grey of their mean."""
    return image if image.shape[-1] == 3 else np.repeat(image.mean(axis=-1, keepdims=True).astype(np.uint8), 3, axis=-1)


def dead_tile(height: int, width: int) -> UInt8[np.ndarray, "height width 3"]:
    """Return a dark grey tile with a diagonal cross, which stands for an image that no gradient ever reached."""
    rows, columns = np.indices((height, width))
    step = (height - 1) / max(width - 1, 1)  # rows for each column, so that the cross goes from corner to corner
    columns = columns * step
    thickness = max(min(height, width) // 64, step / 2)  # a steep line has a pixel in each row
    cross = np.minimum(abs(rows - columns), abs(rows + columns - (height - 1))) <= thickness
    return np.repeat(np.where(cross, CROSS_LEVEL, DEAD_LEVEL).astype(np.uint8)[..., None], 3, axis=-1)
