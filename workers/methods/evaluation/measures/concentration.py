"""Measure how concentrated a map is, by the Gini index and the entropy of its absolute values."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32


def gini_index(values: Float32[np.ndarray, "*axes"]) -> float | None:
    """Return the Gini index of |values|, 0 (all equal) to nearly 1 (one value alone), or None if all are 0.

    It is Σ (2i − n − 1)·|v|_i / (n·Σ|v|) with the n values in rising order and i from 1 (Chalasani et al., arXiv:1810.06583).
    """
    ordered = np.sort(np.abs(values).ravel().astype(np.float64))
    total, count = ordered.sum(), len(ordered)
    return float((2 * np.arange(1, count + 1) - count - 1) @ ordered / (count * total)) if total else None


def entropy(values: Float32[np.ndarray, "*axes"]) -> float | None:
    """Return the entropy −Σ p·ln p of the shares p = |v| / Σ|v| in nats, or None if all are 0 (Bhatt et al., arXiv:2005.00631).

    It is 0 if one value holds everything, and ln n if all n values are equal.
    """
    sizes = np.abs(values).ravel().astype(np.float64)
    total = sizes.sum()
    if not total:
        return None
    shares = sizes[sizes > 0] / total
    return float(-(shares @ np.log(shares)))
