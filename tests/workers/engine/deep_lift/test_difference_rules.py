"""The rules of DeepLIFT, worked by hand. The first half of a batch holds the examples, and the second half the baselines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from workers.engine.deep_lift.difference_rules import Rule, largest, product, rescale, smallest, with_rule


def multipliers(rule: Rule, compute: Callable[..., tf.Tensor], *inputs: list[list[float]]) -> list[np.ndarray]:
    """Return the multipliers of each input of one example, if those of the output are 1. The rows are the example and its baseline."""
    given = [tf.constant(x, tf.float32) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(given)
        total = tf.reduce_sum(with_rule(rule, compute, given)[:1])
    found = tape.gradient(total, given)
    assert all(not x[1].numpy().any() for x in found)
    return [x[0].numpy() for x in found]


def test_the_rescale_rule_is_a_quotient_of_differences() -> None:
    """A ReLU goes from 0 to 3 while its input goes from −1 to 3. Where nothing differs, its derivative is taken."""
    (found,) = multipliers(rescale, tf.nn.relu, [[3, -2, 2, -2, 5], [-1, 2, 1, -2, 5]])
    np.testing.assert_allclose(found, [3 / 4, 2 / 4, 1, 0, 1])
    (found,) = multipliers(rescale, tf.sigmoid, [[0, 2], [np.log(3), 2]])
    slope = float(tf.sigmoid(2.0)) * (1 - float(tf.sigmoid(2.0)))
    np.testing.assert_allclose(found, [0.25 / np.log(3), slope], rtol=1e-5)


def test_the_difference_of_a_maximum_goes_to_the_place_that_won() -> None:
    """The maximum rises from 4 to 6, which the first place won: its own difference is 5, so its multiplier is 2 / 5."""

    def compute(x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_max(x, axis=1, keepdims=True)

    np.testing.assert_allclose(multipliers(largest, compute, [[6, 2, 1], [1, 4, 0]])[0], [2 / 5, 0, 0], rtol=1e-6)
    # It falls from 6 to 4, and the first place won at the baseline: the multiplier is −2 / −5.
    np.testing.assert_allclose(multipliers(largest, compute, [[1, 4, 0], [6, 2, 1]])[0], [2 / 5, 0, 0], rtol=1e-6)
    # It stays, and the first place, which does not differ, keeps its derivative.
    np.testing.assert_allclose(multipliers(largest, compute, [[4, 2, 1], [4, 3, 0]])[0], [1, 0, 0], rtol=1e-6)


def test_a_minimum_is_a_maximum_the_other_way_round() -> None:
    def compute(x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_min(x, axis=1, keepdims=True)

    np.testing.assert_allclose(multipliers(smallest, compute, [[-6, -2, -1], [-1, -4, 0]])[0], [2 / 5, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(multipliers(smallest, compute, [[-1, -4, 0], [-6, -2, -1]])[0], [2 / 5, 0, 0], rtol=1e-6)


def test_the_larger_of_two_tensors() -> None:
    """max(1, 5) − max(2, 3) = 2 goes to the second tensor, whose difference is 2."""
    one, other = multipliers(largest, tf.maximum, [[1, 0], [2, 0]], [[5, -1], [3, -4]])
    np.testing.assert_allclose([one[0], other[0]], [0, 1])
    assert one[1] + other[1] <= 1  # the maximum stays 0


def test_a_product_is_shared_by_the_mean_of_the_other_factor() -> None:
    """3 · 5 − 1 · 2 = 13 is 2 · (5 + 2) / 2 + 3 · (3 + 1) / 2."""
    one, other = multipliers(product, tf.multiply, [[3], [1]], [[5], [2]])
    np.testing.assert_allclose([one[0], other[0]], [7 / 2, 2])
    (square,) = multipliers(product, tf.square, [[3], [1]])
    np.testing.assert_allclose(square, [(9 - 1) / 2])
