"""A photo as the model's input, and where it lies in it.

Resizing is Pillow's: its filters are stretched when an image shrinks, so that a 4,000-pixel photo brought to 224 is averaged
and not sampled (OpenCV's linear and cubic read 2 and 4 pixels however large the photo is). With `bicubic` and `crop`
EfficientNet-Lite0 gives on scikit-image's `chelsea` Egyptian cat .39, tiger cat .33, tabby .16, and espresso .94 on `coffee`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from schemas.models import VARIABLE_LONGEST_SIDE, Preprocessing
from workers.contract.colours import normalise
from workers.contract.inputs import Placement

# A model that takes any size gets the photo at its own, with the longest side at most `VARIABLE_LONGEST_SIDE` and both sides
# multiples of 32, the stride at which encoder-decoder models can still add their maps up.
VARIABLE_MULTIPLE = 32

_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "area": Image.Resampling.BOX,
    "lanczos": Image.Resampling.LANCZOS,
}
# A photo more than three times too large is first averaged down by whole factors: 10 times faster at 25 million pixels.
_REDUCING_GAP = 3.0


def prepare(
    image: UInt8[np.ndarray, "height width 3"], spec: Preprocessing, size: tuple[int | None, int | None] | None, channels: int
) -> tuple[Float32[np.ndarray, "h w c"], Placement]:
    """The input `(x − mean) / std` that `spec` declares, (H, W, C) in `spec.order`, and where the photo lies in it.

    `size` is (height, width) of the input; None for the model's free sides (`variable_size` then chooses them). A model of
    one channel gets the photo's luma (ITU-R 601) whatever `order` says; `gray` for three channels is that luma three times.

    Raises:
        ValueError: a number of channels other than 1 and 3.
    """
    if channels not in (1, 3):
        raise ValueError(f"a photo gives 1 or 3 channels, the model takes {channels}")
    height, width = image.shape[:2]
    input_size = _complete(size, height, width)
    placement = place((height, width), input_size, spec.fit)
    top, left, box_height, box_width = (int(value) for value in placement.box)
    source_top, source_left, source_height, source_width = placement.source
    gray = channels == 1 or spec.order == "gray"
    picture = Image.fromarray(image)
    pixels = np.asarray(
        (picture.convert("L") if gray else picture).resize(
            (box_width, box_height),
            _RESAMPLING[spec.resize],
            box=(source_left, source_top, source_left + source_width, source_top + source_height),
            reducing_gap=_REDUCING_GAP,
        )
    )
    tensor = np.zeros((*input_size, channels), np.float32)  # outside the box of a letterbox: the mean
    tensor[top : top + box_height, left : left + box_width] = normalise(pixels[..., None] if gray else pixels, spec)
    return tensor, placement


def place(photo: tuple[int, int], size: tuple[int, int], fit: str) -> Placement:
    """Where a photo of (height, width) lies in an input of `size`.

    `crop`: the largest centred part of the photo with the input's aspect ratio, from a whole pixel on. `letterbox`: the
    whole photo, centred, its sides rounded to whole input pixels.
    """
    (height, width), (input_height, input_width) = photo, size
    box, source = (0, 0, input_height, input_width), (0.0, 0.0, float(height), float(width))
    taller = height * input_width > width * input_height  # than the input is, relative to its width
    if fit == "crop":
        used = (width * input_height / input_width, width) if taller else (height, height * input_width / input_height)
        source = (float((height - used[0]) // 2), float((width - used[1]) // 2), float(used[0]), float(used[1]))
    elif fit == "letterbox":
        filled = (input_height, width * input_height / height) if taller else (height * input_width / width, input_width)
        filled = (max(1, round(filled[0])), max(1, round(filled[1])))
        box = ((input_height - filled[0]) // 2, (input_width - filled[1]) // 2, *filled)
    top, left, box_height, box_width = map(float, box)
    return Placement(size, (top, left, box_height, box_width), source)


def variable_size(height: int, width: int) -> tuple[int, int]:
    """The input size of a model that takes any, for a photo of (height, width)."""
    scale = min(1.0, VARIABLE_LONGEST_SIDE / max(height, width))
    return _multiple(height * scale), _multiple(width * scale)


def _complete(size: tuple[int | None, int | None] | None, height: int, width: int) -> tuple[int, int]:
    free = variable_size(height, width)
    given = size or (None, None)
    return given[0] or free[0], given[1] or free[1]


def _multiple(side: float) -> int:
    return max(VARIABLE_MULTIPLE, round(side / VARIABLE_MULTIPLE) * VARIABLE_MULTIPLE)
