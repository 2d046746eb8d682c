from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from schemas.errors import InvalidParameters
from workers.engine.ascent.objective_formulas import (
    along_direction,
    channel_mean,
    dot_cosine,
    mean_of_squares,
    negative_distance,
    neuron_value,
)

A = np.arange(2 * 2 * 3 * 2, dtype=np.float32).reshape(2, 2, 3, 2)  # (n, h, w, K)


def test_channel_is_the_mean_of_the_map() -> None:
    # Channel 1 of the first image is 1, 3, …, 11; channel 0 of the second is 12, 14, …, 22.
    np.testing.assert_allclose(channel_mean(tf.constant(A), False, np.int32([1, 0]), 0), [6, 17])
    np.testing.assert_allclose(channel_mean(tf.constant(A), True, np.int32([9, 9]), 0), [5, 18])
    np.testing.assert_allclose(channel_mean(tf.constant(A[:, 0, 0]), False, np.int32([1, 0]), 2), [1, 12])


def test_a_margin_leaves_out_the_border_and_an_empty_map_is_refused() -> None:
    a = np.zeros((1, 5, 6, 1), np.float32)
    a[0, 2, 2:4, 0] = 3, 5
    a[0, 1] = a[0, :, 4] = 100
    assert channel_mean(tf.constant(a), False, np.int32([0]), 2).numpy() == [4]
    with pytest.raises(InvalidParameters, match="4×6"):
        channel_mean(tf.constant(a[:, :4]), False, np.int32([0]), 2)


def test_neuron_value_and_mean_of_squares() -> None:
    np.testing.assert_allclose(neuron_value(tf.constant(A), False, np.int32([1, 0]), np.int32([1, 2])), [11, 22])
    expected = [np.mean(np.arange(12.0) ** 2), np.mean(np.arange(12.0, 24) ** 2)]
    np.testing.assert_allclose(mean_of_squares(tf.constant(A)), expected)


def test_distance_and_dot_cosine() -> None:
    """F is (3, 4), and ‖F‖² is 25. For A = F, (0, 4), (−3, −4), (6, 8) and 0 the squared distances are 0, 9, 100, 25 and 25."""
    features = np.array([[3, 4]], np.float32)
    a = np.array([[[3, 4]], [[0, 4]], [[-3, -4]], [[6, 8]], [[0, 0]]], np.float32)
    np.testing.assert_allclose(negative_distance(tf.constant(a), features), [0, -0.36, -4, -1, -1], atol=1e-6)
    # A·F / 25 is 1, 16/25, −1, 2 and 0; the cosines are 1, 16/20, −1 (which counts as 0.1), 1 and undefined.
    np.testing.assert_allclose(dot_cosine(tf.constant(a), features), [1, 0.64 * 0.8, -0.1, 2, 0], rtol=1e-6)
    assert np.isfinite(negative_distance(tf.constant(a), features * 0)).all()


def test_a_direction_is_followed_at_the_middle_of_the_map() -> None:
    """In the middle of a map of 3 × 2, which is row 1, the activations are twice (3, 4), (0, 4) and (−3, −4). The directions are (0.6, 0.8)
    for the first and third image and (1, 0) for the second: the products are 5, 0 and −5, and the cosines 1, 0 and −1, of which 0.1 is the
    least."""
    a = np.full((3, 3, 2, 2), 50, np.float32)
    a[:, 1] = np.float32([[3, 4], [0, 4], [-3, -4]])[:, None]
    directions = np.array([[0.6, 0.8], [1, 0], [0.6, 0.8]], np.float32)
    np.testing.assert_allclose(along_direction(tf.constant(a), directions, 2.0), [5, 0, -0.05], rtol=1e-5, atol=1e-6)
    assert np.isfinite(along_direction(tf.constant(a * 0), directions * 0, 2.0)).all()


def test_the_middle_of_a_map_is_its_mean_if_a_side_is_even() -> None:
    """A map of 4 × 3 has rows 1 and 2 of column 1 in the middle: (2, 0) and (4, 0), with the mean (3, 0). One of 5 × 3 has (2, 1) alone."""
    a = np.full((1, 5, 3, 2), 50, np.float32)
    a[0, 1, 1], a[0, 2, 1] = (2, 0), (4, 0)
    direction = np.array([[1, 0]], np.float32)
    np.testing.assert_allclose(along_direction(tf.constant(a[:, :4]), direction, 1.0), [3], rtol=1e-6)
    np.testing.assert_allclose(along_direction(tf.constant(a), direction, 1.0), [4], rtol=1e-6)


def test_a_direction_of_vectors_and_of_tokens() -> None:
    """(3, 4) along (1, 0) is 3 with the cosine 0.6, and (0, 4) along (0.6, 0.8) is 3.2 with the cosine 0.8. The mean of some tokens and
    three times as much is twice as much."""
    directions, vectors = np.array([[1, 0], [0.6, 0.8]], np.float32), np.array([[3, 4], [0, 4]], np.float32)
    np.testing.assert_allclose(along_direction(tf.constant(vectors), directions, 2.0), [3 * 0.36, 3.2 * 0.64], rtol=1e-5)
    tokens = np.stack([vectors, 3 * vectors], axis=1)
    np.testing.assert_allclose(along_direction(tf.constant(tokens), directions, 0.0), [6, 6.4], rtol=1e-5)
