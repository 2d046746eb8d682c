from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from workers.engine.ascent.optimizers import adam, normalised

GRADIENTS = np.random.default_rng(0).normal(size=(5, 2, 3, 4)).astype(np.float32) * np.float32([1, 0.3, 50, 2])


def test_adam_goes_up_where_keras_goes_down() -> None:
    variable, moments = tf.zeros((2, 3, 4)), (tf.zeros((2, 3, 4)), tf.zeros((2, 3, 4)))
    theirs, optimizer = keras.Variable(np.zeros((2, 3, 4), np.float32)), keras.optimizers.Adam(0.05, epsilon=1e-8)
    for number, gradient in enumerate(GRADIENTS):
        variable, moments = adam(variable, gradient, moments, number, 0.05)
        optimizer.apply([tf.constant(-gradient)], [theirs])
        np.testing.assert_allclose(variable, theirs.numpy(), rtol=1e-4, atol=1e-5)
    assert np.abs(variable).max() > 0.1


def test_norms_are_of_each_image_alone() -> None:
    gradient = GRADIENTS[0]
    for n in range(2):
        rms = np.sqrt(np.mean(gradient[n].astype(np.float64) ** 2))
        np.testing.assert_allclose(normalised(gradient, "rms")[n], gradient[n] / (rms + 1e-5), rtol=1e-5)
        np.testing.assert_allclose(normalised(gradient, "l2")[n], tf.math.l2_normalize(gradient[n]), rtol=1e-5)
    np.testing.assert_array_equal(normalised(gradient, "none"), gradient)


def test_no_gradient_is_no_step_and_no_division_by_zero() -> None:
    zero = np.zeros((1, 2, 3), np.float32)
    for norm in ("none", "rms", "l2"):
        np.testing.assert_array_equal(normalised(zero, norm), zero)
    variable, _ = adam(zero, zero, (zero, zero), 0, 0.05)
    np.testing.assert_array_equal(variable, zero)
