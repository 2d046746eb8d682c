"""The optimisers of ascent: one step uphill, in which each image of the batch has its own state and its own norm."""

from __future__ import annotations

from typing import Any, Literal

import tensorflow as tf

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # the defaults of the paper (Kingma and Ba, arXiv:1412.6980), as in torch-lucent

Moments = tuple[Any, ...]


def adam(variable: Any, gradient: Any, moments: Moments, step: Any, learning_rate: Any) -> tuple[Any, Moments]:
    """Return the variable and the moments after a step of Adam, uphill.

    `moments` are the first and the second moment, of the shape of the variable (n, …) and 0 at the start; `step` counts from 0.
    """
    first = BETA_1 * moments[0] + (1 - BETA_1) * gradient
    second = BETA_2 * moments[1] + (1 - BETA_2) * tf.square(gradient)
    count = tf.cast(step, tf.float32) + 1.0
    unbiased_first, unbiased_second = first / (1 - BETA_1**count), second / (1 - BETA_2**count)
    return variable + learning_rate * unbiased_first / (tf.sqrt(unbiased_second) + EPSILON), (first, second)


def normalised(gradient: Any, norm: Literal["none", "rms", "l2"]) -> Any:
    """Return the gradient g (n, …) divided by the norm of each image.

    `rms` is g / (√mean(g²) + 1e-5), as in "Deep Learning with Python" (1st edition) and the Keras blog. `l2` is g / √max(Σg², 1e-12), as
    in `tf.math.l2_normalize`.
    """
    if norm == "none":
        return gradient
    axes = tuple(range(1, len(gradient.shape)))
    squares = tf.square(gradient)
    if norm == "rms":
        return gradient / (tf.sqrt(tf.reduce_mean(squares, axis=axes, keepdims=True)) + 1e-5)
    return gradient * tf.math.rsqrt(tf.maximum(tf.reduce_sum(squares, axis=axes, keepdims=True), 1e-12))
