"""Turn an image into a model's input, and say where the image lies in that input.

Pillow does the resizing. Its filters grow when an image shrinks, so an image of 4,000 pixels that becomes 224 is averaged and not sampled.
(OpenCV's linear and cubic filters read 2 and 4 pixels, however large the image is.) With `bicubic` and `crop`, EfficientNet-Lite0 gives
Egyptian cat .39, tiger cat .33 and tabby .16 on scikit-image's `chelsea`, and espresso .94 on `coffee`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from rendering.photo import Placement
from schemas.models import VARIABLE_LONGEST_SIDE, InputSpec, Preprocessing
from workers.contract.colours import normalise

_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "area": Image.Resampling.BOX,
    "lanczos": Image.Resampling.LANCZOS,
}
# An image that is more than three times too large is first averaged by whole factors; at 25 million pixels this is 10 times faster.
_REDUCING_GAP = 3.0


@dataclass(frozen=True)
class FreeSides:
    """The rule for the free sides of a model's input.

    A side is a multiple of `multiple` plus `remainder`, and at least `smallest`, which is such a number. A photo with a side above
    `longest` is scaled down.
    """

    multiple: int = 1
    smallest: int = 1
    remainder: int = 0
    longest: int = VARIABLE_LONGEST_SIDE

    @staticmethod
    def of(spec: InputSpec) -> FreeSides:
        """Return the rule of a described input."""
        return FreeSides(spec.multiple, spec.smallest, spec.remainder, spec.longest)

    def rounded(self, side: float, *, down: bool) -> int:
        """Return the next side that the rule allows, below or above `side`."""
        steps = (side - self.remainder) / self.multiple
        whole = math.floor(steps) if down else math.ceil(steps - 1e-9)
        return max(self.smallest, self.multiple * max(0, whole) + self.remainder)


_COLOUR_AXES = 3  # (H, W, 3)
ANY_SIDES = FreeSides()


def prepare(
    image: UInt8[np.ndarray, "height width 3"] | Float32[np.ndarray, "height width"],
    spec: Preprocessing,
    size: tuple[int | None, int | None] | None,
    channels: int,
    free: FreeSides = ANY_SIDES,
) -> tuple[Float32[np.ndarray, "h w c"], Placement]:
    """Return the input `(x − mean) / std`, float32 (H, W, C) with channels in `spec.order`, and where the image lies in it.

    `image` has the values 0-255. Grey numbers float32 (H, W) may have any values, which are the x. `size` is the input's (height, width);
    None, as a whole or for one side, stands for a free side. With two free sides the image keeps its own size, see `free_placement`. One
    free side follows from the other by the image's aspect ratio. A model with one channel gets the image's luma (ITU-R 601) for every
    `order`. With three channels the order `gray` repeats that luma three times.

    Raises:
        ValueError: `channels` is neither 1 nor 3.
    """
    if channels not in (1, 3):
        raise ValueError(f"An image gives 1 or 3 channels, but the model takes {channels}.")
    placement = placement_of((image.shape[0], image.shape[1]), size or (None, None), spec.fit, free)
    input_size = (int(placement.input_size[0]), int(placement.input_size[1]))
    top, left, box_height, box_width = (int(value) for value in placement.box)
    source_top, source_left, source_height, source_width = placement.source
    gray = channels == 1 or spec.order == "gray"
    whole = Image.fromarray(image)
    pixels = np.asarray(
        (whole.convert("L") if gray and image.ndim == _COLOUR_AXES else whole).resize(
            (box_width, box_height),
            _RESAMPLING[spec.resize],
            box=(source_left, source_top, source_left + source_width, source_top + source_height),
            reducing_gap=_REDUCING_GAP,
        )
    )
    tensor = np.zeros((*input_size, channels), np.float32)  # 0 is the mean; it fills the borders of a letterbox
    tensor[top : top + box_height, left : left + box_width] = normalise(pixels[..., None] if gray else pixels, spec)
    return tensor, placement


def place(image_size: tuple[int, int], size: tuple[int, int], fit: str) -> Placement:
    """Return where an image of (height, width) lies in an input of `size`.

    `stretch` uses the whole image and the whole input. `crop` uses the largest centred part of the image that has the input's aspect
    ratio and begins at a whole pixel. `letterbox` centres the whole image, with its sides rounded to whole input pixels.
    """
    (height, width), (input_height, input_width) = image_size, size
    box, source = (0, 0, input_height, input_width), (0.0, 0.0, float(height), float(width))
    taller = height * input_width > width * input_height  # the image is taller than the input, relative to its width
    if fit == "crop":
        used = (width * input_height / input_width, width) if taller else (height, height * input_width / input_height)
        source = (float((height - used[0]) // 2), float((width - used[1]) // 2), float(used[0]), float(used[1]))
    elif fit == "letterbox":
        filled = (input_height, width * input_height / height) if taller else (height * input_width / width, input_width)
        filled = (max(1, round(filled[0])), max(1, round(filled[1])))
        box = ((input_height - filled[0]) // 2, (input_width - filled[1]) // 2, *filled)
    top, left, box_height, box_width = map(float, box)
    return Placement(size, (top, left, box_height, box_width), source)


def placement_of(image_size: tuple[int, int], size: tuple[int | None, int | None], fit: str, free: FreeSides) -> Placement:
    """Return where an image of (height, width) lies in an input of `size`, in which None stands for a free side."""
    height, width = size
    if height is None and width is None:
        return free_placement(image_size, fit, free)
    if height is not None and width is not None:
        return place(image_size, (height, width), fit)
    factor = min(given / side for given, side in zip(size, image_size, strict=True) if given is not None)
    wanted = [min(round(side * factor), free.longest) for side in image_size]
    rows, columns = (given or free.rounded(side, down=fit == "crop") for given, side in zip(size, wanted, strict=True))
    return place(image_size, (rows, columns), "crop" if fit == "crop" else "letterbox")


def free_placement(image_size: tuple[int, int], fit: str, free: FreeSides) -> Placement:
    """Return where an image of (height, width) lies in the input of a model that takes any size.

    The image keeps its own size. It is scaled down if a side is longer than `free.longest`, and up if one is shorter than `free.smallest`,
    as far as the other side allows. Where a side is then too short, or no number that `free` allows, the input is padded equally on both
    sides. With `crop`, what is more than such a number is cut off instead. So the aspect ratio stays in each case.
    """
    factor = min(free.longest / max(image_size), max(1.0, free.smallest / min(image_size)))
    scaled = [max(1, round(side * factor)) for side in image_size]
    sides = [free.rounded(side, down=fit == "crop") for side in scaled]
    filled = [min(side, own) for side, own in zip(sides, scaled, strict=True)]
    starts = [(side - part) // 2 for side, part in zip(sides, filled, strict=True)]
    used = [length * part / own for length, part, own in zip(image_size, filled, scaled, strict=True)]
    cut = [(length - part) / 2 for length, part in zip(image_size, used, strict=True)]
    return Placement(
        (sides[0], sides[1]), (float(starts[0]), float(starts[1]), float(filled[0]), float(filled[1])), (cut[0], cut[1], used[0], used[1])
    )
