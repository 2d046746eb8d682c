"""Check that the implementations of Grad-CAM have computed the same maps."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

_LEAST = 0.99
_LEAST_BFLOAT16 = 0.9
_PICTURES = frozenset({"tf-explain"})  # it returns coloured pictures, and no maps


def disagreements(maps: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Compare the maps (n, h, w) of each implementation, of any size, with those of the first one, and return what is wrong, by name."""
    found: dict[str, str] = {}
    compared = [name for name in maps if name not in _PICTURES]
    for name in compared[1:]:
        least = _LEAST_BFLOAT16 if "bfloat16" in name else _LEAST
        ours, theirs = maps[compared[0]], _stack(maps[name], len(maps[compared[0]]))
        lowest = min(correlation(one, other) for one, other in zip(ours, theirs, strict=True))
        if lowest < least:
            found[name] = f"its map and that of {compared[0]} correlate by {lowest:.3f}, and it must be {least} or more"
    return found


def _stack(maps: np.ndarray, count: int) -> np.ndarray:
    """Return maps (n, h, w). Some libraries return them with an axis of length 1 at the end."""
    return maps.reshape(count, *[length for length in maps.shape[1:] if length > 1])


def correlation(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the correlation of two maps, or -1 if one of them is the same everywhere. The smaller one is enlarged to the other's size."""
    ours, theirs = (np.maximum(np.asarray(one, np.float32), 0) for one in (ours, theirs))
    if ours.shape != theirs.shape:
        ours = cv2.resize(ours, theirs.shape[::-1], interpolation=cv2.INTER_LINEAR)
    if min(float(np.ptp(one)) for one in (ours, theirs)) == 0:
        return -1.0
    return float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])
