"""The arithmetic of adversarial attacks: the loss, the steps, and the bounds of a change.

Sources: Goodfellow et al., arXiv:1412.6572 (FGSM); Madry et al., arXiv:1706.06083 (PGD). Changes are in units of the photo's 0-255.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float32, Float64

from schemas.methods.interventions.adversarial import ChangeNorm

PixelChange = Float64[np.ndarray, "H W C"]

PRECISION = 1 / 64
"""The smallest change is found to within this, in units of the photo's 0-255."""
TRIED = 16
"""So many bounds are tried before the smallest one is looked for between two of them."""


def loss_weights(logits: Float32[np.ndarray, " k"], class_index: int, *, targeted: bool) -> Float32[np.ndarray, " k"]:
    """Return w, so that the gradient of w·logits is the direction in which the attack goes, times a positive number.

    The cross entropy of a class is L = −log softmax(logits)[class], and its gradient is (p − e_class)·∇logits. An attack makes L of the
    answer larger, or that of the target smaller. The weights are divided by the largest, so that the gradient does not vanish where
    the model is sure: 1 − p is then computed as the sum of the other probabilities.
    """
    shifted = logits.astype(np.float64) - logits.max()
    powers = np.exp(shifted)
    others = np.delete(powers, class_index).sum()
    weights = powers / powers.sum()
    weights[class_index] = -others / powers.sum()
    largest = np.abs(weights).max()
    if largest > 0:
        weights = weights / largest
    return (-weights if targeted else weights).astype(np.float32)


def direction(gradient: PixelChange, norm: ChangeNorm) -> PixelChange:
    """Return the step of length 1 in the norm that raises the loss most: the gradient's sign, or the gradient over its length.

    A gradient of zeros gives zeros.
    """
    if norm == "linf":
        return np.sign(gradient)
    length = np.linalg.norm(gradient)
    return gradient / length if length > 0 else np.zeros_like(gradient)


def size_of(change: PixelChange, norm: ChangeNorm) -> float:
    """Return the norm of a change: the largest absolute value, or the Euclidean length."""
    return float(np.abs(change).max()) if norm == "linf" else float(np.linalg.norm(change))


def projected(change: PixelChange, epsilon: float, norm: ChangeNorm) -> PixelChange:
    """Return the nearest change whose norm is at most `epsilon`."""
    if norm == "linf":
        return np.clip(change, -epsilon, epsilon)
    length = np.linalg.norm(change)
    return change * (epsilon / length) if length > epsilon else change


def kept_in_range(pixels: PixelChange, change: PixelChange, low: float, high: float) -> PixelChange:
    """Return the change, cut off where the changed pixels would leave the range of a photo."""
    return np.clip(pixels + change, low, high) - pixels


def random_change(shape: tuple[int, ...], epsilon: float, norm: ChangeNorm, seed: int) -> PixelChange:
    """Return a random change within `epsilon`: each value uniform, or a point that is uniform in the ball."""
    generator = np.random.default_rng(seed)
    if norm == "linf":
        return generator.uniform(-epsilon, epsilon, shape)
    way = generator.standard_normal(shape)
    return way / np.linalg.norm(way) * epsilon * generator.uniform() ** (1 / way.size)


def masked(change: PixelChange, seen: Bool[np.ndarray, "H W"]) -> PixelChange:
    """Return the change with zeros where the input shows nothing of the photo, such as the bars of a letterbox."""
    return np.where(seen[..., None], change, 0.0)


def smallest_epsilon(flips: Callable[[Float64[np.ndarray, " n"]], Bool[np.ndarray, " n"]], most: float) -> float | None:
    """Return the smallest bound at which the answer flips, to within 1/64, or None if it does not flip up to `most`.

    Whether it flips need not be monotonic in the bound. So 16 bounds are tried, each √2 times the one before, and the first that
    flips is narrowed down by bisection.

    Args:
        flips: says for each of n bounds whether the answer flips.
        most: the largest bound.
    """
    tried = most * np.sqrt(2.0) ** np.arange(1 - TRIED, 1)
    found = np.flatnonzero(flips(tried))
    if not found.size:
        return None
    high = float(tried[found[0]])
    low = float(tried[found[0] - 1]) if found[0] else 0.0
    while high - low > PRECISION:
        middle = (low + high) / 2
        if flips(np.array([middle]))[0]:
            high = middle
        else:
            low = middle
    return high
