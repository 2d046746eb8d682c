"""The objectives that ascent can raise, as formulas of activations: one value for each of n images.

In all of them `activations` has the shape (n, h, w, K) or (n, K), the computation is in float32, and the result has the shape (n,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from schemas.errors import InvalidParameters

TINY = 1e-12
LEAST_COSINE = 0.1
ObjectiveFunction = Callable[[Any, Any, Any], Any]
"""`(x, indices, numbers) → values`: model inputs (n, H, W, C), the channel or class of each image (n,), and the objective's numbers
(`objective_functions.objective_numbers`) give the values to raise (n,)."""


def redirected(after: Any, unbounded: Any, before: Any) -> Any:
    """Return `after` (n,) with the gradient of `unbounded`, or with the gradient of `before` where `unbounded` is 0.

    The arguments are the objective at the output of a ReLU, at the ReLU without an upper end, and at the ReLU's input. This is lucid's
    redirected ReLU, at the target layer alone. A channel whose ReLU is closed everywhere at the start (as most of a last layer's
    are for a nearly grey image) would never change; one that reaches the end of a ReLU6 would stop there, unfinished.
    """
    followed = tf.where(unbounded == 0, before, unbounded)
    return tf.stop_gradient(after - followed) + followed


def channel_mean(activations: Any, selected: bool, indices: Any, margin: int) -> Any:
    """Return the mean over the map of channel indices[i] for each image i, without `margin` positions at each border.

    With `selected` the activations (…, n) hold only the channels of the batch, and the i-th belongs to image i.

    Raises:
        InvalidParameters: nothing is left of the map without its border.
    """
    return for_each_image(channel_means(activations, margin), selected, indices)


def channel_means(activations: Any, margin: int) -> Any:
    """Return the mean over the map of every channel, (n, K), without `margin` positions at each border.

    Raises:
        InvalidParameters: nothing is left of the map without its border.
    """
    if margin and len(activations.shape) == 4:
        height, width = activations.shape[1:3]
        if min(height, width) <= 2 * margin:
            raise InvalidParameters(
                f"The layer's map is {height}×{width} for an image of this size. This preset leaves out a border of {margin}, and nothing "
                "is left of the map. Choose a larger size, or an earlier layer, which has a larger map.",
                pointer="/params/size",
            )
        activations = activations[:, margin:-margin, margin:-margin]
    axes = tuple(range(1, len(activations.shape) - 1))
    return tf.reduce_mean(tf.cast(activations, tf.float32), axis=axes)


def neuron_value(activations: Any, selected: bool, indices: Any, position: Any) -> Any:
    """Return the activation at `position` (y, x) of channel indices[i] for each image i; `selected` as in `channel_mean`."""
    return for_each_image(tf.cast(activations[:, position[0], position[1]], tf.float32), selected, indices)


def mean_of_squares(activations: Any) -> Any:
    """Return the mean of squares over all channels and positions, which is DeepDream's objective."""
    return tf.reduce_mean(tf.square(tf.cast(activations, tf.float32)), axis=tuple(range(1, len(activations.shape))))


def negative_distance(activations: Any, features: Any) -> Any:
    """Return −‖A − F‖² / ‖F‖² for each image, which is 0 where the features F are reached (Mahendran and Vedaldi, arXiv:1412.0035)."""
    activations = tf.cast(activations, tf.float32)
    return -_sum(tf.square(activations - features)) / tf.maximum(_sum(tf.square(features[None])), TINY)


def dot_cosine(activations: Any, features: Any) -> Any:
    """Return A·F / ‖F‖² times the cosine of A and F, which counts as at least 0.1 (lucid's caricatures).

    The value is 1 where the features F are reached, and larger beyond them.
    """
    activations = tf.cast(activations, tf.float32)
    dot, squares = _sum(activations * features), _sum(tf.square(features[None]))
    cosine = dot * tf.math.rsqrt(tf.maximum(squares * _sum(tf.square(activations)), TINY))
    return dot / tf.maximum(squares, TINY) * tf.maximum(cosine, LEAST_COSINE)


def along_direction(activations: Any, directions: Any, power: float) -> Any:
    """Return a·d · max(cos(a, d), 0.1)^power for each image, with its direction d (n, K) of length 1.

    a is the activation at the middle of the map (lucid's `direction_neuron_cossim`, Carter et al., Activation Atlas, Distill 2019), or the
    mean of the two or four in the middle of a map with an even side, so that the image has its content in the middle, too. For tokens,
    a is the mean of all. Without the cosine, the image would also show what else goes along with the direction.
    """
    activations = tf.cast(activations, tf.float32)
    if len(activations.shape) == 4:
        shape = tf.shape(activations)
        rows, columns = (slice((side - 1) // 2, side // 2 + 1) for side in (shape[1], shape[2]))
        activations = tf.reduce_mean(activations[:, rows, columns], axis=(1, 2))
    elif len(activations.shape) == 3:
        activations = tf.reduce_mean(activations, axis=1)
    dot = _sum(activations * directions)
    cosine = dot * tf.math.rsqrt(tf.maximum(_sum(tf.square(activations)) * _sum(tf.square(directions)), TINY))
    return dot * tf.maximum(cosine, LEAST_COSINE) ** power


COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {"l2": negative_distance, "dot_cosine": dot_cosine}
"""The objectives that compare the activations of a layer with given features, by the kind of the objective."""


def for_each_image(values: Any, selected: bool, indices: Any) -> Any:
    """Return value indices[i] of each image i, (n, K) → (n,); with `selected` value i of each image i, (n, n) → (n,)."""
    return tf.linalg.diag_part(values) if selected else tf.gather(values, indices, axis=1, batch_dims=1)


def _sum(values: Any) -> Any:
    """Return the sum over all axes but the first."""
    return tf.reduce_sum(values, axis=tuple(range(1, len(values.shape))))
