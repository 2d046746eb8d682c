"""Show an array of any number of channels as a picture: one channel as grey, or three as red, green and blue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

# These percentiles of a channel become black and white, so that a few extreme values do not leave the picture dark.
_DARKEST, _BRIGHTEST = 2, 98


def default_bands(channels: int) -> tuple[int, ...]:
    """Return the channels that are shown if nobody has chosen any: the first three, or the first one if there are fewer."""
    return (0, 1, 2) if channels >= 3 else (0,)


def shown_bands(array: NDArray[np.generic], bands: Sequence[int] = ()) -> UInt8[np.ndarray, "H W 3"]:
    """Return a picture of some channels of an array.

    Values of type uint8 are shown as they are. Of every other type, each shown channel is stretched by itself: its 2nd percentile becomes
    black (0) and its 98th percentile white (255). If these two are equal, its smallest and its largest value take their place, and a
    channel that is the same everywhere becomes black.

    Args:
        array: numbers (H, W) or (H, W, C).
        bands: one channel, or three channels for red, green and blue. None of them stands for `default_bands`.
    """
    layers = array[..., None] if array.ndim == 2 else array
    chosen = tuple(bands) or default_bands(layers.shape[2])
    picture = np.stack([_stretched(layers[..., band]) for band in chosen], axis=-1)
    return picture if len(chosen) == 3 else np.repeat(picture, 3, axis=-1)


def _stretched(band: NDArray[np.generic]) -> UInt8[np.ndarray, "H W"]:
    if band.dtype == np.uint8:
        return band.astype(np.uint8)
    values = band.astype(np.float64)
    dark, bright = np.percentile(values, (_DARKEST, _BRIGHTEST))
    if dark == bright:
        dark, bright = values.min(), values.max()
    if dark == bright:
        return np.zeros(values.shape, np.uint8)
    return np.rint(np.clip((values - dark) / (bright - dark), 0, 1) * 255).astype(np.uint8)
