"""Measure how much of a map lies in a region of the photo."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Int64


def pointing_game(places: Int64[np.ndarray, "H W"], region: Bool[np.ndarray, "H W"]) -> float:
    """Return 1 if the strongest pixel lies in the region, else 0 (Zhang et al., arXiv:1608.00507, without a tolerance).

    Args:
        places: the place of each pixel in the order of the map, 0 for the strongest.
        region: the pixels of the object.
    """
    return float(region[places == 0].any())


def relevance_mass(values: Float32[np.ndarray, "H W"], region: Bool[np.ndarray, "H W"]) -> float | None:
    """Return the share of the positive relevance that lies in the region, 0-1 (Arras et al., arXiv:2003.07258).

    It is None if no value is positive.
    """
    positive = np.maximum(values, 0).astype(np.float64)
    total = positive.sum()
    return float(positive[region].sum() / total) if total else None


def relevance_rank(places: Int64[np.ndarray, "H W"], region: Bool[np.ndarray, "H W"]) -> float:
    """Return the share of the K strongest pixels that lie in the region, where K is its size, 0-1 (Arras et al., arXiv:2003.07258)."""
    return float(region[places < region.sum()].mean())
