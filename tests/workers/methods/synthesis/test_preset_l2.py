"""The presets dlwp2 and keras_io against their published code, transcribed for a tiny model and run from the same start."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.workers.methods.synthesis.preset_runs import (
    TF,
    assert_same_picture,
    pictures,
    probe_of,
    resolved,
    result_of,
    unit_noise,
)

# Deep Learning with Python, 2nd ed., 9.4.2 (listings 9.14 to 9.18); keras.io's example differs in start and contrast.


def l2_ascent(model: keras.Model, channel: int, image: np.ndarray) -> tuple[float, np.ndarray]:
    extractor = keras.Model(inputs=model.input, outputs=model.get_layer("conv2").output)

    @tf.function
    def gradient_ascent_step(image: tf.Tensor, filter_index: tf.Tensor, learning_rate: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            activation = extractor(image)
            filter_activation = activation[:, 2:-2, 2:-2, filter_index]
            loss = tf.reduce_mean(filter_activation)
        grads = tape.gradient(loss, image)
        grads = tf.math.l2_normalize(grads)
        return loss, image + learning_rate * grads

    moved = tf.constant(image, tf.float32)
    loss = 0.0
    for _ in range(30):
        loss, moved = gradient_ascent_step(moved, tf.constant(channel), tf.constant(10.0))
    return float(loss), moved[0].numpy()


def dlwp2_deprocess(image: np.ndarray) -> np.ndarray:
    image = image - image.mean()
    image = image / image.std()
    image = image * 64
    image = image + 128
    image = np.clip(image, 0, 255).astype("uint8")
    return image[25:-25, 25:-25, :]


def keras_io_deprocess(img: np.ndarray) -> np.ndarray:
    img = img - img.mean()
    img = img / (img.std() + 1e-5)
    img = img * 0.15
    img = img[25:-25, 25:-25, :]
    img = img + 0.5
    img = np.clip(img, 0, 1)
    img = img * 255
    return np.clip(img, 0, 255).astype("uint8")


def test_dlwp2(model: keras.Model) -> None:
    probe = probe_of(model, TF)
    result, output = result_of(probe, resolved(probe, preset="dlwp2", channels=[2, 5]))
    assert result.images.shape == (2, 200, 200, 3)
    for index, channel in enumerate((2, 5)):
        loss, expected = l2_ascent(model, channel, unit_noise("dlwp2", 200, channel) * (0.6 - 0.4) + 0.4)
        np.testing.assert_allclose(result.images[index], expected, rtol=1e-4, atol=1e-3)
        assert result.values[index, -1] == pytest.approx(loss, rel=1e-4)
        assert_same_picture(pictures(output)[f"channel_{channel}"], dlwp2_deprocess(expected))


def test_keras_io(model: keras.Model) -> None:
    probe = probe_of(model, TF)
    result, output = result_of(probe, resolved(probe, preset="keras_io", channels=[2, 5]))
    assert result.images.shape == (2, 180, 180, 3)
    for index, channel in enumerate((2, 5)):
        loss, expected = l2_ascent(model, channel, (unit_noise("keras_io", 180, channel) - 0.5) * 0.25)
        np.testing.assert_allclose(result.images[index], expected, rtol=1e-4, atol=1e-3)
        assert result.values[index, -1] == pytest.approx(loss, rel=1e-4)
        assert_same_picture(pictures(output)[f"channel_{channel}"], keras_io_deprocess(expected))


@pytest.mark.parametrize(("preset", "tile"), [("dlwp2", 150), ("keras_io", 130)])
def test_both_editions_later_grids_are_filled_by_rows(model: keras.Model, preset: str, tile: int) -> None:
    probe = probe_of(model, TF)
    _, output = result_of(probe, resolved(probe, preset=preset, steps=1, channels=16, annotate=False))
    shown = pictures(output)
    expected = np.zeros((2 * tile + 5, 8 * tile + 7 * 5, 3), np.uint8)
    for i in range(2):
        for j in range(8):
            top, left = (tile + 5) * i, (tile + 5) * j
            expected[top : top + tile, left : left + tile] = shown[f"channel_{i * 8 + j}"]
    np.testing.assert_array_equal(shown["grid"], expected)
