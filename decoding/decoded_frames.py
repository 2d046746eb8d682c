"""The frames that a decoder gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8


@dataclass(frozen=True)
class DecodedFrames:
    """The frames of an animation, or the one of a still image.

    Attributes:
        images: the frames as 8-bit RGB, (n, H, W, 3), uint8.
        numbers: the number of each frame in the file, from 0.
        milliseconds: how long each frame is shown, which is until the next of them: the frames that were left out count.
    """

    images: UInt8[np.ndarray, "n H W 3"]
    numbers: tuple[int, ...]
    milliseconds: tuple[int, ...]
