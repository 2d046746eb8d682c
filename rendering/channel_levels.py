"""Scale a layer's activations to levels of 0-255: each channel by itself, or all channels of the layer alike."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8


def scale_each_channel(activations: Float32[np.ndarray, "h w k"]) -> UInt8[np.ndarray, "h w k"]:
    """Scale each channel by its own mean and deviation: (x − μ)/(σ + 1e-5)·64 + 128, clipped to 0-255.

    A channel whose values are all equal becomes 0.

    Source: Chollet, Deep Learning with Python, 5.4.1. The ε of 1e-5 is ours: it keeps a nearly constant channel from becoming noise.
    The book's first edition divides by 0 where σ = 0; the second edition draws such a channel as 0, and so do we.
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


def scale_from_zero(activations: Float32[np.ndarray, "h w k"]) -> UInt8[np.ndarray, "h w k"]:
    """Scale each channel by itself from 0 to its largest value: 0 and what is below it become 0, and the largest value becomes 255.

    A channel without a value above 0 becomes 0.
    """
    highest = activations.max(axis=(0, 1))
    shares = np.maximum(activations, 0) / np.where(highest > 0, highest, np.float32(1))
    return np.rint(shares * np.float32(255)).astype(np.uint8)


def scale_all_channels(activations: Float32[np.ndarray, "h w k"], span: tuple[float, float] | None = None) -> UInt8[np.ndarray, "h w k"]:
    """Scale all channels alike: the minimum becomes 0 and the maximum 255. If all values are equal, they become 0.

    Args:
        activations: Some or all channels of a layer.
        span: The (minimum, maximum) of the whole layer. If it is None, the range of `activations` is used.
    """
    low, high = span or (activations.min(), activations.max())
    if low == high:
        return np.zeros(activations.shape, np.uint8)
    scaled = activations - np.float32(low)
    scaled *= np.float32(255 / (float(high) - float(low)))
    return np.clip(np.rint(scaled, out=scaled), 0, 255, out=scaled).astype(np.uint8)
