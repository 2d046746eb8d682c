"""Penalties on the image, and blur between steps (Yosinski et al., arXiv:1506.06579; Mahendran and Vedaldi, arXiv:1412.0035).

The penalties take model inputs (n, H, W, C) and mid-grey (C,) in the same units, and return one value for each image (n,).
"""

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
    """Return the mean absolute distance from `grey`."""
    return tf.reduce_mean(tf.abs(x - grey), axis=(1, 2, 3))


def l2(x: Any, grey: Any) -> Any:
    """Return the mean squared distance from `grey`."""
    return tf.reduce_mean(tf.square(x - grey), axis=(1, 2, 3))


def total_variation(x: Any, grey: Any) -> Any:
    """Return the mean absolute difference of vertical neighbours plus that of horizontal neighbours."""
    del grey
    down, right = tf.abs(x[:, 1:] - x[:, :-1]), tf.abs(x[:, :, 1:] - x[:, :, :-1])
    return tf.reduce_mean(down, axis=(1, 2, 3)) + tf.reduce_mean(right, axis=(1, 2, 3))


PENALTIES: dict[str, Penalty] = {"l1": l1, "l2": l2, "total_variation": total_variation}


def penalties_in_use(regularisers: Regularisers) -> tuple[str, ...]:
    """Return the names of the penalties whose weight is not 0."""
    return tuple(name for name in PENALTIES if getattr(regularisers, name) > 0)


def penalty_weights(regularisers: Regularisers) -> Float32:
    """Return the weights of the penalties in use, in the order of `penalties_in_use`."""
    return np.array([getattr(regularisers, name) for name in penalties_in_use(regularisers)], np.float32)


def penalty(names: tuple[str, ...], weights: Any, x: Any, grey: Any) -> Any:
    """Return Σ weight · penalty over the penalties `names`, of model inputs (n, H, W, C), as (n,)."""
    return tf.add_n([weights[index] * PENALTIES[name](x, grey) for index, name in enumerate(names)])


def blur_matrix(side: int, sigma: float) -> Float32:
    """Return a matrix (side, side) whose row i is a Gaussian about i, cut off at the border and scaled to a sum of 1."""
    distance = np.arange(side)[:, None] - np.arange(side)[None, :]
    kernel = np.exp(-0.5 * np.square(distance / sigma))
    return (kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32)


def blur(images: Any, rows: Any, columns: Any) -> Any:
    """Return images (n, H, W, C) blurred by the matrices of their rows (H, H) and columns (W, W)."""
    return tf.einsum("ih,nhwc,jw->nijc", rows, images, columns)
