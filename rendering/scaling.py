"""Scale maps before they are drawn: to heat of 0-1, or to signed values of −1 to 1."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32


def why_degenerate(values: Float32[np.ndarray, "h w"]) -> str | None:
    """Say why a map cannot be scaled, in words that follow "the map is". Return None for a map with contrast."""
    if not np.isfinite(values).all():
        return "not finite"
    if not values.any():
        return "zero everywhere"
    if values.min() == values.max():
        return "the same everywhere"
    return None


def heat(values: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Return relu(map) / max, 0-1. A degenerate map and a map without a positive value become zeros."""
    positive = np.maximum(values, 0)
    if why_degenerate(values) or not positive.any():
        return np.zeros_like(values)
    return positive / positive.max()


def signed(values: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Return map / max |map|, −1 to 1; zero stays zero. A degenerate map becomes zeros."""
    if why_degenerate(values):
        return np.zeros_like(values)
    return values / np.abs(values).max()


def smoothed(values: Float32[np.ndarray, "h w"], share: float) -> Float32[np.ndarray, "h w"]:
    """Return the values blurred by a Gaussian whose σ is `share` of the shorter side. The values beyond an edge mirror those inside.

    Values that are degenerate, or not finite everywhere, are returned as they are.
    """
    sigma = share * min(values.shape)
    if sigma == 0 or why_degenerate(values):
        return values
    return cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def clipped(values: Float32[np.ndarray, "*axes"], percentile: float) -> Float32[np.ndarray, "*axes"]:
    """Return the values cut off at a percentile (0-100) of the absolute values that are not 0.

    Values that are not finite everywhere are returned as they are.
    """
    strengths = np.abs(values[values != 0])
    if not strengths.size or not np.isfinite(strengths).all():
        return values
    limit = np.float32(np.percentile(strengths, percentile))
    return np.clip(values, -limit, limit)


def finite(values: Float32[np.ndarray, "*axes"]) -> Float32[np.ndarray, "*axes"]:
    """Return the values with 0 for those that are not finite. If all are finite, it is the same array."""
    good = np.isfinite(values)
    return values if good.all() else np.where(good, values, np.float32(0))
