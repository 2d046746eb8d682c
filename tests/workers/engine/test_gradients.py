"""Gradients compared with numbers worked by hand, and with plain eager `GradientTape` code that does not use the engine."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.workers.engine.support import probe_of, relative_difference
from tests.zoo import CLASSES, TARGET_LAYER, ZOO, photo_batch


def linear_model(units: int, activation: str) -> keras.Model:
    """Return a model of an image (2, 4, 1): a 1 × 2 convolution with the kernels [1, 1] and [1, -1] + 2, the mean, a dense layer."""
    photo = keras.Input((2, 4, 1), name="photo")
    x = layers.Conv2D(2, (1, 2), name="conv")(photo)
    x = layers.GlobalAveragePooling2D(name="gap")(x)
    model = keras.Model(photo, layers.Dense(units, activation=activation, name="head")(x))
    model.get_layer("conv").set_weights([np.array([[[[1, 1]], [[1, -1]]]], "float32"), np.array([0, 2], "float32")])
    kernel, bias = np.array([[6, -12], [12, 30]], "float32"), np.array([0.5 if units == 2 else -25, -1], "float32")
    model.get_layer("head").set_weights([kernel[:, :units], bias[:units]])
    return model


PHOTOS = np.array([[[1, 2, 3, 4], [5, 6, 7, 8]], [[0, 1, 0, 2], [2, 0, -1, 3]]], "float32")[..., None]
# These are sums and differences of neighbours; the means are 9 and 1 in the first photo, 7/6 and 3/2 in the second.
ACTIVATIONS = np.stack(
    [
        np.array([[[3, 5, 7], [11, 13, 15]], [[1, 1, 2], [2, -1, 2]]], "float32"),
        np.array([[[1, 1, 1], [1, 1, 1]], [[1, 3, 0], [4, 3, -2]]], "float32"),
    ],
    axis=-1,
)


def test_activations_logits_and_gradients_worked_by_hand() -> None:
    found = probe_of(linear_model(2, "softmax")).gradients(PHOTOS, "conv", np.array([-1, -1], np.int32))
    np.testing.assert_array_equal(found.activations, ACTIVATIONS)
    # 6·9 + 12·1 + .5, -12·9 + 30·1 - 1; 6·7/6 + 12·3/2 + .5, -12·7/6 + 30·3/2 - 1
    np.testing.assert_allclose(found.logits, [[66.5, -79], [25.5, 30]], rtol=1e-6)
    np.testing.assert_array_equal(found.class_indices, [0, 1])
    # Each position is a sixth of the mean, so the gradients are 6/6 and 12/6 for class 0, -12/6 and 30/6 for class 1.
    np.testing.assert_allclose(found.gradients[0], np.broadcast_to([1, 2], (2, 3, 2)), rtol=1e-6)
    np.testing.assert_allclose(found.gradients[1], np.broadcast_to([-2, 5], (2, 3, 2)), rtol=1e-6)
    np.testing.assert_allclose(grad_cam(found)[0], [[5, 7, 9], [13, 15, 17]], rtol=1e-6)
    np.testing.assert_allclose(grad_cam(found)[1], [[3, 13, 0], [16, 17, 0]], rtol=1e-6)


def test_a_probabilitys_gradient_worked_by_hand() -> None:
    found = probe_of(linear_model(2, "softmax")).gradients(PHOTOS, "conv", np.array([1, 0], np.int32), score="probability")
    # p₁ = 1 / (1 + e^(z₀ - z₁)), ∂p₁/∂z₁ = p₁p₀ = -∂p₁/∂z₀; for the second photo z₁ - z₀ = 4.5
    p = 1 / (1 + np.exp(-4.5))
    np.testing.assert_allclose(found.probabilities[1], [1 - p, p], rtol=1e-5)
    np.testing.assert_allclose(found.gradients[1], np.broadcast_to(np.array([3, -3]) * p * (1 - p), (2, 3, 2)), rtol=1e-4)
    # In the first photo the probability of class 1 is e^-145.5. In float32 this is 0, and so is its gradient.
    np.testing.assert_array_equal(found.gradients[0], 0)


@pytest.mark.parametrize(("answer", "sign"), [(1, 1), (0, -1)])
def test_both_answers_of_a_binary_head_worked_by_hand(answer: int, sign: int) -> None:
    probe = probe_of(linear_model(1, "sigmoid"))
    answers = np.array([answer, answer], np.int32)
    logit = probe.gradients(PHOTOS / 100, "conv", answers)
    # 6·9/100 + 12·(2 - 1/100) - 25; 6·(7/6)/100 + 12·(2 - .5/100) - 25
    np.testing.assert_allclose(logit.logits, [[0.58, -0.58], [0.99, -0.99]], rtol=1e-5)
    np.testing.assert_allclose(logit.gradients, np.broadcast_to(np.array([1, 2]) * sign, (2, 2, 3, 2)), rtol=1e-6)
    probability = probe.gradients(PHOTOS / 100, "conv", answers, score="probability")
    p = 1 / (1 + np.exp(-logit.logits[:, 1:].astype(np.float64)))
    np.testing.assert_allclose(probability.probabilities, np.concatenate([1 - p, p], axis=1), rtol=1e-5)
    expected = (sign * p * (1 - p))[:, :, None, None] * np.broadcast_to([1, 2], (2, 2, 3, 2))
    np.testing.assert_allclose(probability.gradients, expected, rtol=1e-4)


def grad_cam(found) -> np.ndarray:
    weights = found.gradients.mean((1, 2), keepdims=True)
    return np.maximum((weights * found.activations).sum(-1), 0)


# The same models by hand: the layers are called one by one, and the arithmetic of the head is written out. The first function
# returns the output of the target layer, the second the logits computed from it.
Reference = tuple[Callable[[keras.Model, tf.Tensor], tf.Tensor], Callable[[keras.Model, tf.Tensor], tf.Tensor]]


def call(model: keras.Model, x: tf.Tensor, *names: str) -> tf.Tensor:
    for name in names:
        x = model.get_layer(name)(x, training=False)
    return x


def affine(model: keras.Model, x: tf.Tensor, name: str) -> tf.Tensor:
    layer = model.get_layer(name)
    kernel, bias = (tf.cast(value, x.dtype) for value in (layer.kernel, layer.bias))
    return tf.matmul(x, kernel) + bias


def flat(x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, (x.shape[0], -1))


def pooled(x: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(x, (1, 2))


def plain(model: keras.Model, x: tf.Tensor) -> tf.Tensor:
    return call(model, x, "conv1", "pool1", "conv2")


def inner(model: keras.Model, x: tf.Tensor) -> tf.Tensor:
    return plain(model.get_layer("base"), x)


REFERENCES: dict[str, Reference] = {
    "functional": (plain, lambda m, a: affine(m, tf.nn.relu(affine(m, flat(a), "hidden")), "predictions")),
    "sequential": (lambda m, x: call(m, x, "conv1", "depthwise", "conv2"), lambda m, a: affine(m, flat(a), "predictions")),
    "nested": (lambda m, x: inner(m, x * 0.5), lambda m, a: affine(m, flat(a), "predictions")),
    "nested_head": (inner, lambda m, a: affine(m.get_layer("head"), pooled(a), "scores")),
    "softmax_layer": (plain, lambda m, a: affine(m, flat(a), "scores")),
    "softmax_activation": (plain, lambda m, a: flat(call(m, pooled(a)[:, None, None], "scores"))),
    "softmax_operation": (plain, lambda m, a: affine(m, pooled(a + call(m, a, "side")), "scores")),
    "multi_label": (plain, lambda m, a: affine(m, pooled(a), "scores")),
    "two_outputs": (plain, lambda m, a: affine(m, pooled(a), "classes")),
    "any_size": (plain, lambda m, a: affine(m, pooled(a), "predictions")),
    "grey": (plain, lambda m, a: affine(m, pooled(a), "predictions")),
    "shared_layer": (
        lambda m, x: call(m, x, "shared"),
        lambda m, a: affine(m, pooled(call(m, a, "shared")), "predictions"),
    ),
    "batch_norm": (
        lambda m, x: call(m, joined(m, call(m, x, "conv1", "bn1", "relu1", "depthwise", "bn_depthwise", "relu6")), "conv2", "bn2", "relu2"),
        lambda m, a: affine(m, call(m, flat(a), "hidden", "bn_hidden", "relu_hidden"), "predictions"),
    ),
    "mixed_float16": (lambda m, x: call(m, x, "conv1", "conv2"), lambda m, a: call(m, flat(a), "scores")),
    "mixed_bfloat16": (lambda m, x: call(m, x, "conv1", "conv2"), lambda m, a: call(m, flat(a), "scores")),
}


def joined(model: keras.Model, x: tf.Tensor) -> tf.Tensor:
    x = call(model, x, "separable", "bn_separable", "transposed", "bn_transposed", "activated", "bn_activated")
    return call(model, x, "twice", "bn_twice") + call(model, x, "twice")


class GradientsByHand:
    """Gradients one example at a time, by eager code.

    In half precision the code is compiled: TensorFlow then fuses convolution, bias and activation and rounds once, which eager code
    cannot do, and every rounding shows there (6e-3 in bfloat16).
    """

    def __init__(self, name: str, model: keras.Model, x: np.ndarray, class_indices: np.ndarray) -> None:
        features, head = REFERENCES[name]

        def one(example: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, ...]:
            activation = features(model, example[None])
            with tf.GradientTape() as tape:
                tape.watch(activation)
                scores = head(model, activation)
                score = scores[0, index]
            return tuple(tf.cast(value[0], tf.float32) for value in (activation, tape.gradient(score, activation), scores))

        run = tf.function(one) if name.startswith("mixed") else one
        found = [run(tf.constant(example), tf.constant(index)) for example, index in zip(x, class_indices, strict=True)]
        self.activations, self.gradients, self.logits = (np.stack(values) for values in zip(*found, strict=True))


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_parity_with_plain_gradient_tape_code(name: str) -> None:
    model = ZOO[name]()
    x = photo_batch(model, 3)
    class_indices = np.array([3, 0, CLASSES - 1], np.int32)
    found = probe_of(model).gradients(x, TARGET_LAYER[name], class_indices)
    expected = GradientsByHand(name, model, x, class_indices)
    assert relative_difference(found.activations, expected.activations) < 1e-5
    assert relative_difference(found.gradients, expected.gradients) < 1e-5
    assert relative_difference(found.logits, expected.logits) < 1e-5
    assert grad_cam(expected).max() > 0
    for got, wanted in zip(grad_cam(found), grad_cam(expected), strict=True):
        assert np.max(np.abs(got - wanted)) <= 1e-5 * max(wanted.max(), grad_cam(expected).max())


def test_a_gradient_with_respect_to_the_input_itself() -> None:
    model = ZOO["functional"]()
    x = photo_batch(model, 2)
    found = probe_of(model).gradients(x, "photo", np.array([2, 4], np.int32))
    with tf.GradientTape() as tape:
        photos = tf.constant(x)
        tape.watch(photos)
        features, head = REFERENCES["functional"]
        score = tf.gather(head(model, features(model, photos)), [2, 4], axis=1, batch_dims=1)
    np.testing.assert_array_equal(found.activations, x)
    assert relative_difference(found.gradients, tape.gradient(score, photos)) < 1e-5


def test_a_layer_that_passes_its_input_on_has_its_own_readers_gradient_alone() -> None:
    """Dropout returns its input tensor itself; the gradient of another layer that reads this tensor must not be added."""
    photo = keras.Input((3, 2, 2), name="photo")
    x = layers.ReLU(name="relu")(photo)
    dropped = layers.Dropout(0.5, name="dropout")(x)
    both = layers.Add(name="add")([layers.GlobalAveragePooling2D(name="a")(dropped), layers.GlobalMaxPooling2D(name="b")(x)])
    probe = probe_of(keras.Model(photo, both))
    found = probe.gradients(np.ones((1, 3, 2, 2), "float32"), "dropout", np.array([0], np.int32))
    expected = np.zeros((1, 3, 2, 2))
    expected[..., 0] = 1 / 6
    np.testing.assert_allclose(found.gradients, expected, rtol=1e-6)
