"""The redirected gradient of a channel whose ReLU is closed or whose ReLU6 has reached its end."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.zoo import photo_batch, seeded
from workers.contract.synthesis import Objective
from workers.engine.ascent.single_objective import single_objective
from workers.engine.graph import Graph


def relu_model(form: str) -> keras.Model:
    """Return a model of a convolution of 4 channels and a ReLU, in one of several forms; `target` is the layer with the ReLU."""
    photo = keras.Input((None, None, 3), name="photo")
    match form:
        case "argument":
            y = layers.Conv2D(4, 3, activation="relu", name="target")(photo)
        case "layer":
            y = layers.ReLU(6.0, name="target")(layers.Conv2D(4, 3, name="conv")(photo))
        case "activation":
            y = layers.Activation("relu", name="target")(layers.BatchNormalization()(layers.Conv2D(4, 3, name="conv")(photo)))
        case "depthwise":
            y = layers.DepthwiseConv2D(3, activation="relu6", name="target")(layers.Conv2D(4, 1, name="conv")(photo))
        case _:
            y = keras.ops.relu(layers.Conv2D(4, 3, name="conv")(photo))
    return seeded(keras.Model(photo, y))


@pytest.mark.parametrize("form", ["argument", "layer", "activation", "depthwise", "operation"])
def test_a_closed_relu_is_opened_by_the_gradient_before_it(form: str) -> None:
    """A channel that is 0 everywhere keeps its value and gets the gradient of the ReLU's input; the other channels do not change."""
    model = relu_model(form)
    graph = Graph(model)
    path = graph.layers[-1].path
    layer = model.get_layer("target" if form in ("argument", "depthwise") else "conv")
    bias = np.float32([-90, 2, -90, 2])
    layer.set_weights([*layer.get_weights()[:-1], bias])
    x, indices = tf.constant(photo_batch(model, 4)), np.int32([0, 1, 2, 3])

    def value_and_gradient(redirect: bool) -> tuple[np.ndarray, np.ndarray]:
        objective = Objective("channel", path, (0, 1, 2, 3))
        values_at = single_objective(graph, objective, "photo", redirect=redirect, precision="float32")
        with tf.GradientTape() as tape:
            tape.watch(x)
            values = values_at(x, indices, np.int32([0, 0]))
        return values.numpy(), tape.gradient(values, x).numpy()

    plain_values, plain = value_and_gradient(False)
    values, gradient = value_and_gradient(True)
    np.testing.assert_allclose(values, plain_values, atol=1e-5)
    np.testing.assert_allclose(gradient[[1, 3]], plain[[1, 3]], atol=1e-7)
    assert np.all(plain[[0, 2]] == 0)
    np.testing.assert_allclose(values[[0, 2]], 0, atol=1e-5)
    # With the ReLU wide open, the gradient of the same channels is that of the linear layer.
    layer.set_weights([*layer.get_weights()[:-1], bias * 0 + (3 if form == "layer" else 50)])
    if form == "depthwise":
        layer.set_weights([*layer.get_weights()[:-1], bias * 0 + 3])
    graph = Graph(model)
    _, opened = value_and_gradient(False)
    np.testing.assert_allclose(gradient[[0, 2]], opened[[0, 2]], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("form", ["layer", "depthwise"])
def test_the_gradient_continues_past_the_end_of_a_relu6(form: str) -> None:
    model = relu_model(form)
    layer = model.get_layer("target" if form == "depthwise" else "conv")
    layer.set_weights([*layer.get_weights()[:-1], np.float32([9, 9, 3, 3])])
    x, indices = tf.constant(photo_batch(model, 4)), np.int32([0, 1, 2, 3])
    found = []
    for redirect in (False, True):
        objective = Objective("channel", "target", (0, 1, 2, 3))
        values_at = single_objective(Graph(model), objective, "photo", redirect=redirect, precision="float32")
        with tf.GradientTape() as tape:
            tape.watch(x)
            values = values_at(x, indices, np.int32([0, 0]))
        np.testing.assert_allclose(values[:2], [6, 6], rtol=1e-5)
        found.append(tape.gradient(values, x).numpy())
    plain, redirected = found
    assert np.all(plain[:2] == 0)
    layer.set_weights([*layer.get_weights()[:-1], np.float32([3, 3, 3, 3])])
    values_at = single_objective(Graph(model), objective, "photo", redirect=False, precision="float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = values_at(x, indices, np.int32([0, 0]))
    np.testing.assert_allclose(redirected, tape.gradient(values, x), rtol=1e-4, atol=1e-6)
