"""Infidelity: does the map add up to what the score loses when a square is removed? (Yeh et al., arXiv:1901.09392)"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

SIDES = (0.1, 0.4)
"""The side of a removed square lies between these shares of the input's shorter side."""


def squares(size: tuple[int, int], count: int, rng: np.random.Generator) -> Int64[np.ndarray, "count 3"]:
    """Return random squares that lie in an input of `size` (height, width), each as (top, left, side) in pixels."""
    height, width = size
    shorter = min(size)
    sides = np.clip(np.rint(rng.uniform(*SIDES, count) * shorter), 1, shorter).astype(np.int64)
    return np.stack([rng.integers(0, height - sides + 1), rng.integers(0, width - sides + 1), sides], axis=1)


def infidelity(expected: Float64[np.ndarray, " n"], falls: Float64[np.ndarray, " n"]) -> tuple[float, float]:
    """Return the infidelity E[(β·expected − fall)²], and the scale β ≥ 0 of the map that makes it smallest.

    β brings maps of any unit to that of the score, as in Captum (`normalize`). Captum also accepts a negative β, which turns a map
    upside down. Here β is then 0, so that a map which marks the contrary of what counts has the infidelity of an empty map.

    Args:
        expected: the sum of the map over what was removed, for each of n tries.
        falls: what the score has lost then.
    """
    size = float(expected @ expected)
    scale = max(0.0, float(expected @ falls) / size) if size else 0.0
    return float(np.square(scale * expected - falls).mean()), scale
