"""The colormaps: each turns levels of 0-255 into RGB colours. A new one is one row of `_OPENCV` or one branch of `table`."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from schemas.methods.colormap import Colormap, SignedColormap

Colours = Colormap | SignedColormap
# These are the ends of ColorBrewer's RdBu (11 classes), one step in: they are dark enough for a photo and light enough for white.
ABOVE, BELOW, NEUTRAL = (np.array(colour, np.float32) for colour in ((178, 24, 43), (33, 102, 172), (247, 247, 247)))
_OPENCV: dict[Colormap, int] = {
    "jet": cv2.COLORMAP_JET,
    "viridis": cv2.COLORMAP_VIRIDIS,
    "inferno": cv2.COLORMAP_INFERNO,
    "magma": cv2.COLORMAP_MAGMA,
    "plasma": cv2.COLORMAP_PLASMA,
    "turbo": cv2.COLORMAP_TURBO,
    "hot": cv2.COLORMAP_HOT,
}


@cache
def table(name: Colours) -> UInt8[np.ndarray, "256 3"]:
    """Return the RGB colour of each level, as a read-only array."""
    levels = np.arange(256, dtype=np.uint8)
    match name:
        case "gray":
            colours = np.repeat(levels[:, None], 3, 1)
        case "signed":
            values = np.linspace(-1, 1, 256, dtype=np.float32)[:, None]
            colours = np.rint(NEUTRAL * (1 - np.abs(values)) + np.where(values > 0, ABOVE, BELOW) * np.abs(values)).astype(np.uint8)
        case _:
            colours = cv2.applyColorMap(levels[:, None], _OPENCV[name])[:, 0, ::-1].copy()
    colours.flags.writeable = False
    return colours


def apply(levels: UInt8[np.ndarray, "h w"], name: Colours) -> UInt8[np.ndarray, "h w 3"]:
    """Return the RGB colour of each level (0-255) of a map."""
    return cv2.applyColorMap(np.ascontiguousarray(levels), table(name)[:, None, :])


@cache
def matplotlib_jet() -> Float64[np.ndarray, "256 3"]:
    """Return matplotlib's `jet` at its 256 levels, with values of 0-1.

    It goes from dark blue through cyan and yellow to dark red like OpenCV's `jet`, but with other slopes.

    Source: matplotlib `_cm.py`, `_jet_data` (pairs of breakpoint and value).
    """
    red = ((0.0, 0.35, 0.66, 0.89, 1.0), (0.0, 0.0, 1.0, 1.0, 0.5))
    green = ((0.0, 0.125, 0.375, 0.64, 0.91, 1.0), (0.0, 0.0, 1.0, 1.0, 0.0, 0.0))
    blue = ((0.0, 0.11, 0.34, 0.65, 1.0), (0.5, 1.0, 1.0, 0.0, 0.0))
    levels = np.linspace(0, 1, 256)
    return np.stack([np.interp(levels, *channel) for channel in (red, green, blue)], axis=1)
