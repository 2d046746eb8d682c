"""Spearman's rank correlation of two maps."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Num


def spearman(first: Num[np.ndarray, "*axes"], second: Num[np.ndarray, "*axes"]) -> float | None:
    """Return the rank correlation of two arrays, -1 to 1. It is None if one is the same everywhere or not finite."""
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return None
    ranks = [_ranks(values.ravel()) for values in (first, second)]
    centred = [each - each.mean() for each in ranks]
    size = np.sqrt((centred[0] @ centred[0]) * (centred[1] @ centred[1]))
    return float(centred[0] @ centred[1] / size) if size else None


def _ranks(values: Num[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Return the rank of each value, 1 for the smallest. Equal values share the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]
