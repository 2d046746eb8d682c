"""Values → levels or heat: what range of a map becomes what range of a picture."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8


def per_channel(activations: Float32[np.ndarray, "h w k"]) -> UInt8[np.ndarray, "h w k"]:
    """Each channel by itself: (x − μ)/(σ + 1e-5)·64 + 128, clipped to 0–255; a channel without variation becomes 0.

    Source: Chollet, Deep Learning with Python, 5.4.1; ε keeps a nearly constant channel from becoming noise. The book's
    first edition divides by 0 where σ = 0; that it is drawn as 0 follows the second.
    """
    positions = activations.reshape(-1, activations.shape[-1])
    centred = positions - positions.mean(axis=0, dtype=np.float64).astype(np.float32)
    deviation = np.sqrt(np.einsum("pk,pk->k", centred, centred) / len(centred))
    constant = positions.min(axis=0) == positions.max(axis=0)
    centred *= 64 / (deviation + np.float32(1e-5))
    centred += 128
    levels = np.clip(centred, 0, 255, out=centred).astype(np.uint8)
    levels[:, constant] = 0
    return levels.reshape(activations.shape)


def over_layer(activations: Float32[np.ndarray, "h w k"], span: tuple[float, float] | None = None) -> UInt8[np.ndarray, "h w k"]:
    """All channels alike: the layer's minimum becomes 0, its maximum 255; a layer without variation becomes 0.

    Args:
        span: the layer's (minimum, maximum) where `activations` are some of its channels; None: their own.
    """
    low, high = span or (activations.min(), activations.max())
    if low == high:
        return np.zeros(activations.shape, np.uint8)
    scaled = activations - np.float32(low)
    scaled *= np.float32(255 / (float(high) - float(low)))
    return np.clip(np.rint(scaled, out=scaled), 0, 255, out=scaled).astype(np.uint8)


def why_degenerate(values: Float32[np.ndarray, "h w"]) -> str | None:
    """What is wrong with a map that cannot be scaled, in words that follow 'the map is'; None for a map with contrast."""
    if not np.isfinite(values).all():
        return "not finite"
    if not values.any():
        return "zero everywhere"
    if values.min() == values.max():
        return "the same everywhere"
    return None


def heat(values: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """relu(map) / max, 0–1; zeros for a degenerate map or one without a positive value, never noise and never a division by zero."""
    positive = np.maximum(values, 0)
    if why_degenerate(values) or not positive.any():
        return np.zeros_like(values)
    return positive / positive.max()


def signed(values: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """map / max |map|, −1 to 1 with 0 where it was; zeros for a degenerate map."""
    if why_degenerate(values):
        return np.zeros_like(values)
    return values / np.abs(values).max()
