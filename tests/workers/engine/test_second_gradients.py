"""The Hessian times the activations: compared with numbers worked by hand, and with the whole Hessian of eager code."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas import errors
from tests.workers.engine.support import probe_of, relative_difference
from workers.contract.scores import Readout

PHOTOS = np.array([[[1], [2], [-1]], [[0], [1], [3]]], np.float32)[:, None]  # (2, 1, 3, 1)


def model_of(activation: str, units: int = 2, head: str = "softmax") -> keras.Model:
    """Return a model of an image (1, 3, 1): the layer `conv` is the image itself, and dense layers come after it."""
    photo = keras.Input((1, 3, 1), name="photo")
    x = layers.Conv2D(1, 1, kernel_initializer="ones", name="conv")(photo)
    x = layers.Dense(4, activation=activation, name="hidden")(layers.Flatten()(x))
    model = keras.Model(photo, layers.Dense(units, activation=head, name="head")(x))
    rng = np.random.default_rng(2)
    for name in ("hidden", "head"):
        model.get_layer(name).set_weights([rng.normal(0, 0.5, weight.shape) for weight in model.get_layer(name).get_weights()])
    return model


def test_the_logit_of_a_square_worked_by_hand() -> None:
    photo = keras.Input((1, 3, 1), name="photo")
    x = layers.Conv2D(1, 1, kernel_initializer="ones", name="conv")(photo)
    squares = layers.Flatten()(keras.ops.square(x))
    model = keras.Model(photo, layers.Dense(2, activation="softmax", name="head")(squares))
    model.get_layer("head").set_weights([np.array([[1, 0], [2, 0], [-1, 3]], "float32"), np.zeros(2, "float32")])
    found = probe_of(model).gradients(PHOTOS, "conv", np.array([0, 1], np.int32), products=True)
    # y₀ = a² + 2b² − c² has the diagonal Hessian (2, 4, −2), and y₁ = 3c² has (0, 0, 6)
    np.testing.assert_allclose(found.products[:, 0, :, 0], [[2, 8, 2], [0, 0, 18]], rtol=1e-6)


@pytest.mark.parametrize(
    ("score", "activation", "units", "head"),
    [
        ("rest", "tanh", 2, "softmax"),
        *(
            pytest.param(score, *kind, marks=pytest.mark.slow)
            for score in ("logit", "probability", "rest")
            for kind in (("gelu", 3, "sigmoid"), ("tanh", 3, "linear"), ("tanh", 2, "softmax"))
        ),
    ],
)
def test_the_whole_hessian_of_eager_code(score: str, activation: str, units: int, head: str) -> None:
    model = model_of(activation, units, head)
    classes = np.array([1, 0], np.int32)
    found = probe_of(model).gradients(PHOTOS, "conv", classes, score=score, products=True)
    hidden, last = (model.get_layer(name) for name in ("hidden", "head"))
    for row, class_index in enumerate(classes):
        a = tf.constant(PHOTOS[row].reshape(1, 3))
        with tf.GradientTape() as outer:
            outer.watch(a)
            with tf.GradientTape() as inner:
                inner.watch(a)
                logits = hidden(a) @ last.kernel + last.bias
                p = tf.nn.sigmoid(logits) if head == "sigmoid" else tf.nn.softmax(logits)
                y = {"logit": logits, "probability": p, "rest": logits + tf.math.log(p)}[score][0, class_index]
            gradient = inner.gradient(y, a)
        hessian = outer.jacobian(gradient, a).numpy()[0, :, 0]
        expected = hessian @ a.numpy()[0]
        assert relative_difference(found.gradients[row, 0, :, 0], gradient.numpy()[0]) < 1e-5
        np.testing.assert_allclose(found.products[row, 0, :, 0], expected, rtol=1e-4, atol=1e-5)


def test_a_network_of_relus_has_no_second_gradient_of_its_logits() -> None:
    found = probe_of(model_of("relu")).gradients(PHOTOS, "conv", np.array([1, 0], np.int32), products=True)
    assert np.abs(found.gradients).max() > 0
    np.testing.assert_array_equal(found.products, 0)


def test_products_are_made_only_if_they_are_asked_for() -> None:
    assert probe_of(model_of("tanh")).gradients(PHOTOS, "conv", np.array([1, 0], np.int32)).products is None


def test_the_residual_softmax_of_a_very_unlikely_class_is_finite() -> None:
    model = model_of("linear")
    probe = probe_of(model)
    least = probe.forward(1000 * PHOTOS, scores=True).logits.argmin(axis=1).astype(np.int32)
    found = probe.gradients(1000 * PHOTOS, "conv", least, score="rest", products=True)
    assert found.probabilities.min(axis=1).max() < 1e-30
    assert np.isfinite(found.gradients).all()
    assert np.abs(found.gradients).min(axis=(1, 2, 3)).max() > 0


def test_the_score_of_a_target_is_its_value() -> None:
    probe = probe_of(model_of("tanh")).explaining(Readout("output"), np.array([[1, -1]], np.float32), ["a difference"])
    zeros = np.zeros(2, np.int32)
    residual, plain = (probe.gradients(PHOTOS, "conv", zeros, score=score, products=True) for score in ("rest", "logit"))
    np.testing.assert_array_equal(residual.products, plain.products)
    assert np.abs(plain.products).max() > 0


def test_an_operation_without_a_second_gradient_is_named() -> None:
    photo = keras.Input((4, 6, 1), name="photo")
    x = layers.Conv2D(1, 1, name="conv")(photo)
    x = layers.Resizing(3, 3, interpolation="bicubic")(x)
    x = layers.GlobalAveragePooling2D()(keras.ops.tanh(x))
    probe = probe_of(keras.Model(photo, layers.Dense(2, activation="softmax")(x)))
    photos = np.random.default_rng(0).normal(size=(1, 4, 6, 1)).astype(np.float32)
    assert probe.gradients(photos, "conv", np.array([0], np.int32)).products is None
    with pytest.raises(errors.NoGradient, match=r"has itself no gradient.*ResizeBicubicGrad.*such as grad_cam"):
        probe.gradients(photos, "conv", np.array([0], np.int32), products=True)
