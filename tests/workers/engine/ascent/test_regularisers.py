from __future__ import annotations

import cv2
import numpy as np
import pytest
import tensorflow as tf

from schemas.methods.synthesis.regularisers import Regularisers
from workers.engine.ascent.regularisers import blur, blur_matrix, penalties_in_use, penalty, penalty_weights

GREY = np.float32([0.1, -0.2, 0.0])
# 2 images of 2 × 3 with 3 channels, so that a swapped axis shows; no value equals grey.
X = np.random.default_rng(4).normal(size=(2, 2, 3, 3)).astype(np.float32)


def value_and_gradient(names: tuple[str, ...], weight: list[float]) -> tuple[np.ndarray, np.ndarray]:
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = penalty(names, np.float32(weight), x, GREY)
    return values.numpy(), tape.gradient(values, x).numpy()


def test_l1_and_its_gradient() -> None:
    values, gradient = value_and_gradient(("l1",), [2.0])
    np.testing.assert_allclose(values, 2 * np.abs(X - GREY).mean(axis=(1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(gradient, 2 * np.sign(X - GREY) / 18, rtol=1e-5)


def test_l2_and_its_gradient() -> None:
    values, gradient = value_and_gradient(("l2",), [0.5])
    np.testing.assert_allclose(values, 0.5 * np.square(X - GREY).mean(axis=(1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(gradient, (X - GREY) / 18, rtol=1e-5)


def test_total_variation_and_its_gradient() -> None:
    values, gradient = value_and_gradient(("total_variation",), [3.0])
    down, right = X[:, 1:] - X[:, :-1], X[:, :, 1:] - X[:, :, :-1]
    np.testing.assert_allclose(values, 3 * (np.abs(down).mean(axis=(1, 2, 3)) + np.abs(right).mean(axis=(1, 2, 3))), rtol=1e-5)
    expected = np.zeros_like(X)
    expected[:, 1:] += np.sign(down) / 9  # each image has 1·3·3 vertical differences
    expected[:, :-1] -= np.sign(down) / 9
    expected[:, :, 1:] += np.sign(right) / 12  # and 2·2·3 horizontal ones
    expected[:, :, :-1] -= np.sign(right) / 12
    np.testing.assert_allclose(gradient, 3 * expected, rtol=1e-5, atol=1e-6)


def test_penalties_add_up_with_their_own_weights() -> None:
    chosen = Regularisers(l2=0.25, total_variation=4.0)
    names = penalties_in_use(chosen)
    assert names == ("l2", "total_variation")
    together, _ = value_and_gradient(names, penalty_weights(chosen).tolist())
    alone = value_and_gradient(("l2",), [0.25])[0] + value_and_gradient(("total_variation",), [4.0])[0]
    np.testing.assert_allclose(together, alone, rtol=1e-6)


def test_blur_is_opencvs_away_from_the_border_and_keeps_a_flat_image_flat() -> None:
    images = np.random.default_rng(0).normal(size=(2, 19, 23, 3)).astype(np.float32)
    blurred = np.asarray(blur(images, blur_matrix(19, 1.1), blur_matrix(23, 1.1)))
    expected = np.stack([cv2.GaussianBlur(image, (15, 15), 1.1) for image in images])
    np.testing.assert_allclose(blurred[:, 7:-7, 7:-7], expected[:, 7:-7, 7:-7], atol=1e-5)
    flat = np.full((1, 5, 6, 3), 0.7, np.float32)
    np.testing.assert_allclose(blur(flat, blur_matrix(5, 2.0), blur_matrix(6, 2.0)), flat, rtol=1e-5)
    assert blur_matrix(4, 1.0)[0] == pytest.approx(np.exp(-0.5 * np.arange(4) ** 2) / np.exp(-0.5 * np.arange(4) ** 2).sum())
