"""Penalties on the image, and blur between steps (Yosinski et al., arXiv:1506.06579; Mahendran and Vedaldi, arXiv:1412.0035)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from schemas.methods.synthesis.regularisers import Regularisers
from workers.contract.arrays import Float32

BLUR_EVERY = 4
Penalty = Callable[[Any, Any], Any]


def l1(x: Any, grey: Any) -> Any:
    """Mean absolute distance from `grey`: (n,) of model inputs (n, H, W, C)."""
    return tf.reduce_mean(tf.abs(x - grey), axis=(1, 2, 3))


def l2(x: Any, grey: Any) -> Any:
    """Mean squared distance from `grey`: (n,)."""
    return tf.reduce_mean(tf.square(x - grey), axis=(1, 2, 3))


def total_variation(x: Any, grey: Any) -> Any:
    """Mean absolute difference of vertical plus that of horizontal neighbours: (n,)."""
    del grey
    down, right = tf.abs(x[:, 1:] - x[:, :-1]), tf.abs(x[:, :, 1:] - x[:, :, :-1])
    return tf.reduce_mean(down, axis=(1, 2, 3)) + tf.reduce_mean(right, axis=(1, 2, 3))


PENALTIES: dict[str, Penalty] = {"l1": l1, "l2": l2, "total_variation": total_variation}


def kinds(regularisers: Regularisers) -> tuple[str, ...]:
    """The penalties in use."""
    return tuple(name for name in PENALTIES if getattr(regularisers, name) > 0)


def weights(regularisers: Regularisers) -> Float32:
    """Their weights, in the order of `kinds`."""
    return np.array([getattr(regularisers, name) for name in kinds(regularisers)], np.float32)


def penalty(names: tuple[str, ...], weight: Any, x: Any, grey: Any) -> Any:
    """Σ weight · penalty: (n,)."""
    return tf.add_n([weight[index] * PENALTIES[name](x, grey) for index, name in enumerate(names)])


def blur_matrix(side: int, sigma: float) -> Float32:
    """(side, side): row i holds the Gaussian about i, cut at the border and summing to 1."""
    distance = np.arange(side)[:, None] - np.arange(side)[None, :]
    kernel = np.exp(-0.5 * np.square(distance / sigma))
    return (kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32)


def blur(images: Any, rows: Any, columns: Any) -> Any:
    """Images (n, H, W, C) blurred by the matrices of their two sides."""
    return tf.einsum("ih,nhwc,jw->nijc", rows, images, columns)
