"""Turn an image into a model's input, and say where the image lies in that input.

Pillow does the resizing. Its filters grow when an image shrinks, so an image of 4,000 pixels that becomes 224 is averaged and not sampled.
(OpenCV's linear and cubic filters read 2 and 4 pixels, however large the image is.) With `bicubic` and `crop`, EfficientNet-Lite0 gives
Egyptian cat .39, tiger cat .33 and tabby .16 on scikit-image's `chelsea`, and espresso .94 on `coffee`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from rendering.photo import Placement
from schemas.models import VARIABLE_LONGEST_SIDE, Preprocessing
from workers.contract.colours import normalise

# A model that takes any size gets the image at its own size, but with the longest side at most `VARIABLE_LONGEST_SIDE`. Both sides are
# multiples of 32, because encoder-decoder models with this stride can then still add their maps.
VARIABLE_MULTIPLE = 32

_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "area": Image.Resampling.BOX,
    "lanczos": Image.Resampling.LANCZOS,
}
# An image that is more than three times too large is first averaged by whole factors; at 25 million pixels this is 10 times faster.
_REDUCING_GAP = 3.0


def prepare(
    image: UInt8[np.ndarray, "height width 3"], spec: Preprocessing, size: tuple[int | None, int | None] | None, channels: int
) -> tuple[Float32[np.ndarray, "h w c"], Placement]:
    """Return the input `(x − mean) / std`, float32 (H, W, C) with channels in `spec.order`, and where the image lies in it.

    `image` has the values 0-255. `size` is the input's (height, width); None, as a whole or for one side, stands for a free side, which
    `variable_size` then chooses. A model with one channel gets the image's luma (ITU-R 601) for every `order`. With three channels the
    order `gray` repeats that luma three times.

    Raises:
        ValueError: `channels` is neither 1 nor 3.
    """
    if channels not in (1, 3):
        raise ValueError(f"An image gives 1 or 3 channels, but the model takes {channels}.")
    height, width = image.shape[:2]
    input_size = _fill_free_sides(size, height, width)
    placement = place((height, width), input_size, spec.fit)
    top, left, box_height, box_width = (int(value) for value in placement.box)
    source_top, source_left, source_height, source_width = placement.source
    gray = channels == 1 or spec.order == "gray"
    whole = Image.fromarray(image)
    pixels = np.asarray(
        (whole.convert("L") if gray else whole).resize(
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


def variable_size(height: int, width: int) -> tuple[int, int]:
    """Return the input size (height, width) of a model that takes any size, for an image of that height and width."""
    scale = min(1.0, VARIABLE_LONGEST_SIDE / max(height, width))
    return _multiple(height * scale), _multiple(width * scale)


def _fill_free_sides(size: tuple[int | None, int | None] | None, height: int, width: int) -> tuple[int, int]:
    free = variable_size(height, width)
    given = size or (None, None)
    return given[0] or free[0], given[1] or free[1]


def _multiple(side: float) -> int:
    return max(VARIABLE_MULTIPLE, round(side / VARIABLE_MULTIPLE) * VARIABLE_MULTIPLE)
