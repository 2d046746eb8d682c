"""The rules by which DeepLIFT shares the difference of an output among its inputs (Shrikumar et al., ICML 2017, arXiv:1704.02685).

Every tensor holds a batch of examples and then their baselines, (2N, …). What flows back is the multiplier m = C / Δx of each example: its
contribution divided by the difference from its baseline. The half of the baselines gets zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

Compute = Callable[..., tf.Tensor]
Rule = Callable[[Compute, Sequence[tf.Tensor], tf.Tensor, tf.Tensor], list[tf.Tensor]]
"""`(compute, inputs, output, multiplier of the output) → multipliers of the inputs`."""

# Differences below this share of the values are rounding, and the gradient takes the place of their quotient.
_ROUNDING = 1e-6
_SMALLEST = 1e-10


def rescale(compute: Compute, inputs: Sequence[tf.Tensor], output: tf.Tensor, multiplier: tf.Tensor) -> list[tf.Tensor]:
    """Return m·Δy / Δx for a function y of one value x, and m·∂y/∂x where Δx is 0."""
    (x,) = inputs
    (gradient,) = _gradients(compute, inputs, multiplier)
    return [_for_examples(_quotient(_first(multiplier) * _difference(output), _difference(x), x, _first(gradient)))]


def largest(compute: Compute, inputs: Sequence[tf.Tensor], output: tf.Tensor, multiplier: tf.Tensor) -> list[tf.Tensor]:
    """Return the multipliers of the inputs of a maximum y.

    If y is larger than at the baseline, the place that won in the example gets the difference. Otherwise the place that won at the
    baseline gets it. The difference at this place is at least as large as that of y, so all of it arrives.
    """
    return _to_the_winner(compute, inputs, output, multiplier, gained=tf.cast(_difference(output) > 0, output.dtype))


def smallest(compute: Compute, inputs: Sequence[tf.Tensor], output: tf.Tensor, multiplier: tf.Tensor) -> list[tf.Tensor]:
    """Return the multipliers of the inputs of a minimum, which is a maximum the other way round."""
    return _to_the_winner(compute, inputs, output, multiplier, gained=tf.cast(_difference(output) < 0, output.dtype))


def product(compute: Compute, inputs: Sequence[tf.Tensor], output: tf.Tensor, multiplier: tf.Tensor) -> list[tf.Tensor]:
    """Return m times the mean of the other factor at the example and at the baseline: the gradient half-way between them."""
    halfway = [tf.concat([tf.add_n(tf.split(x, 2)) / 2] * 2, axis=0) for x in inputs]
    return _gradients(compute, halfway, multiplier)


def with_rule(rule: Rule, compute: Compute, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return compute(*inputs), through which multipliers flow back by a rule in place of gradients."""
    output = compute(*inputs)

    @tf.custom_gradient
    def call(*_: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor]]]:
        def back(multiplier: tf.Tensor) -> list[tf.Tensor]:
            return [tf.cast(found, x.dtype) for found, x in zip(rule(compute, inputs, output, multiplier), inputs, strict=True)]

        return tf.identity(output), back

    found: Any = call(*inputs)
    return found


def _to_the_winner(
    compute: Compute, inputs: Sequence[tf.Tensor], output: tf.Tensor, multiplier: tf.Tensor, *, gained: tf.Tensor
) -> list[tf.Tensor]:
    carried = _first(multiplier) * _difference(output)
    gradients = _gradients(compute, inputs, multiplier)
    shares = _gradients(compute, inputs, tf.concat([carried * gained, carried * (1 - gained)], axis=0))
    return [
        _for_examples(_quotient(tf.add_n(tf.split(share, 2)), _difference(x), x, _first(gradient)))
        for x, share, gradient in zip(inputs, shares, gradients, strict=True)
    ]


def _gradients(compute: Compute, inputs: Sequence[tf.Tensor], multiplier: tf.Tensor) -> list[tf.Tensor]:
    parts = [tf.identity(x) for x in inputs]  # a product may have the same tensor as both of its factors
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(parts)
        output = compute(*parts)
    found: Any = tape.gradient(output, parts, output_gradients=[multiplier], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return found


def _quotient(contribution: tf.Tensor, difference: tf.Tensor, x: tf.Tensor, otherwise: tf.Tensor) -> tf.Tensor:
    own, other = tf.split(x, 2)
    differs = tf.abs(difference) > _ROUNDING * (tf.abs(own) + tf.abs(other)) + _SMALLEST
    return tf.where(differs, contribution / tf.where(differs, difference, tf.ones_like(difference)), otherwise)


def _first(x: tf.Tensor) -> tf.Tensor:
    return tf.split(x, 2)[0]


def _difference(x: tf.Tensor) -> tf.Tensor:
    own, other = tf.split(x, 2)
    return own - other


def _for_examples(multiplier: tf.Tensor) -> tf.Tensor:
    return tf.concat([multiplier, tf.zeros_like(multiplier)], axis=0)
