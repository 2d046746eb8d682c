from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas.errors import InvalidParameters
from tests.zoo import ZOO, photo_batch, seeded
from workers.contract.synthesis import Objective
from workers.engine.ascent import objectives
from workers.engine.ascent.target import calling, chooses
from workers.engine.graph import Graph

A = np.arange(2 * 2 * 3 * 2, dtype=np.float32).reshape(2, 2, 3, 2)  # (n, h, w, K)


def test_channel_is_the_mean_of_the_map() -> None:
    # Channel 1 of the first image: 1, 3, …, 11; channel 0 of the second: 12, 14, …, 22.
    np.testing.assert_allclose(objectives.channel(tf.constant(A), False, np.int32([1, 0]), 0), [6, 17])
    np.testing.assert_allclose(objectives.channel(tf.constant(A), True, np.int32([9, 9]), 0), [5, 18])
    np.testing.assert_allclose(objectives.channel(tf.constant(A[:, 0, 0]), False, np.int32([1, 0]), 2), [1, 12])


def test_a_margin_leaves_out_the_border_or_says_that_nothing_is_left() -> None:
    a = np.zeros((1, 5, 6, 1), np.float32)
    a[0, 2, 2:4, 0] = 3, 5
    a[0, 1] = a[0, :, 4] = 100
    assert objectives.channel(tf.constant(a), False, np.int32([0]), 2).numpy() == [4]
    with pytest.raises(InvalidParameters, match="4×6"):
        objectives.channel(tf.constant(a[:, :4]), False, np.int32([0]), 2)


def test_neuron_and_whole_layer() -> None:
    np.testing.assert_allclose(objectives.neuron(tf.constant(A), False, np.int32([1, 0]), np.int32([1, 2])), [11, 22])
    expected = [np.mean(np.arange(12.0) ** 2), np.mean(np.arange(12.0, 24) ** 2)]
    np.testing.assert_allclose(objectives.mean_of_squares(tf.constant(A)), expected)


def test_nearness_and_dot_cosine() -> None:
    """F = (3, 4): of A = F, (0, 4), (−3, −4), (6, 8) and 0 the squared distances are 0, 9, 100, 25 and 25, of 25."""
    features = np.array([[3, 4]], np.float32)
    a = np.array([[[3, 4]], [[0, 4]], [[-3, -4]], [[6, 8]], [[0, 0]]], np.float32)
    np.testing.assert_allclose(objectives.nearness(tf.constant(a), features), [0, -0.36, -4, -1, -1], atol=1e-6)
    # A·F over 25: 1, 16/25, −1, 2, 0; cosines 1, 16/20, −1 (counted as 0.1), 1, none.
    np.testing.assert_allclose(objectives.dot_cosine(tf.constant(a), features), [1, 0.64 * 0.8, -0.1, 2, 0], rtol=1e-6)
    assert np.isfinite(objectives.nearness(tf.constant(a), features * 0)).all()


@pytest.mark.parametrize("kind", ["l2", "dot_cosine"])
@pytest.mark.parametrize("path", ["conv2", "hidden"])
def test_features_are_compared_with_the_layers_own(kind: str, path: str) -> None:
    model = ZOO["functional"]()
    graph, x = Graph(model), photo_batch(model, 3)
    whole = np.asarray(graph.run(x, [path])[path]).astype(np.float64)
    features = np.abs(np.random.default_rng(0).normal(size=whole.shape[1:])).astype(np.float32)
    goal = Objective("l2" if kind == "l2" else "dot_cosine", path, features=features)
    values = objectives.values_of(graph, goal, "photo", redirect=False, precision="float32")(x, np.int32([0] * 3), objectives.aim(goal))
    a, f = whole.reshape(3, -1), features.ravel().astype(np.float64)
    length = np.linalg.norm(f)
    if kind == "l2":
        expected = -np.square(a - f).sum(axis=1) / length**2
    else:
        expected = a @ f / length**2 * np.maximum(a @ f / (np.linalg.norm(a, axis=1) * length), 0.1)
    np.testing.assert_allclose(values, expected, rtol=1e-4)


@pytest.mark.parametrize("path", ["conv1", "conv2", "hidden"])
def test_only_the_channels_asked_for_are_computed_and_are_the_layers_own(path: str) -> None:
    model = ZOO["functional"]()
    graph, x, indices = Graph(model), photo_batch(model, 3), np.int32([4, 0, 4])
    layer = graph.layer_at(path).layer
    assert chooses(layer)
    call = calling(layer)
    assert call is not None
    taken = graph.run(x, [path], {path: lambda inputs: call(inputs, indices).after})[path]
    whole = graph.run(x, [path])[path]
    np.testing.assert_allclose(taken, np.asarray(whole)[..., indices], rtol=1e-5, atol=1e-6)
    values = objectives.values_of(graph, Objective("channel", path, (4, 0, 4)), "photo", redirect=False, precision="float32")(
        x, indices, np.int32([0, 0])
    )
    maps = np.asarray(whole).reshape(3, -1, whole.shape[-1]).mean(axis=1)
    np.testing.assert_allclose(values, maps[np.arange(3), indices], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(4, 3, groups=2, activation="relu"),
        layers.Conv2D(4, 3, activation="softmax"),
        layers.DepthwiseConv2D(3),
        layers.BatchNormalization(),
    ],
)
def test_layers_whose_channels_cannot_be_had_alone_are_left_whole(layer: keras.Layer) -> None:
    layer.build((None, 5, 5, 2))
    assert not chooses(layer)


@pytest.mark.parametrize("name", ["functional", "nested_head", "softmax_operation", "logits_head", "binary"])
def test_the_class_objective_is_the_logit_or_the_probability(name: str) -> None:
    model = ZOO[name]()
    graph, x = Graph(model), photo_batch(model, 2)
    classes = model.outputs[0].shape[-1]
    indices = np.int32([classes - 1, 0])
    position = np.int32([0, 0])
    logits = np.asarray(graph.class_scores(x)[1])
    image = graph.input_names[0]
    of_logits = objectives.values_of(graph, Objective("class", indices=(0, 0)), image, redirect=False, precision="float32")(
        x, indices, position
    )
    np.testing.assert_allclose(of_logits, logits[np.arange(2), indices], rtol=1e-5, atol=1e-6)
    of_probabilities = objectives.values_of(
        graph, Objective("class", indices=(0, 0), probability=True), image, redirect=False, precision="float32"
    )
    expected = np.asarray(graph.head.probabilities(tf.constant(logits)))[np.arange(2), indices]
    np.testing.assert_allclose(of_probabilities(x, indices, position), expected, rtol=1e-4, atol=1e-6)


def test_a_target_behind_a_folded_batch_norm_keeps_its_values() -> None:
    model = ZOO["batch_norm"]()
    graph, x, indices = Graph(model), photo_batch(model, 2), np.int32([1, 3])
    for path in ("conv1", "bn1", "relu1", "conv2", "bn2"):
        whole = np.asarray(graph.run(x, [path])[path])
        values = objectives.values_of(graph, Objective("channel", path, (1, 3)), "photo", redirect=False, precision="float32")(
            x, indices, np.int32([0, 0])
        )
        np.testing.assert_allclose(values, whole.mean(axis=(1, 2))[np.arange(2), indices], rtol=1e-4, atol=1e-5)


def test_the_first_call_of_a_shared_layer_is_meant() -> None:
    model = seeded(ZOO["shared_layer"]())
    graph, x, indices = Graph(model), photo_batch(model, 2), np.int32([2, 0])
    expected = np.asarray(model.get_layer("shared")(x)).mean(axis=(1, 2))[np.arange(2), indices]
    values = objectives.values_of(graph, Objective("channel", "shared", (2, 0)), "photo", redirect=False, precision="float32")(
        x, indices, np.int32([0, 0])
    )
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)


def relu_model(form: str) -> keras.Model:
    """A convolution of 4 channels and a ReLU, in several forms; `target` is the layer after it."""
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
    """Where a channel is 0 all over: value 0 and, redirected, the gradient of what the ReLU was given; elsewhere as it was."""
    model = relu_model(form)
    graph = Graph(model)
    path = graph.layers[-1].path
    layer = model.get_layer("target" if form in ("argument", "depthwise") else "conv")
    bias = np.float32([-90, 2, -90, 2])
    layer.set_weights([*layer.get_weights()[:-1], bias])
    x, indices = tf.constant(photo_batch(model, 4)), np.int32([0, 1, 2, 3])

    def value_and_gradient(redirect: bool) -> tuple[np.ndarray, np.ndarray]:
        objective = Objective("channel", path, (0, 1, 2, 3))
        values_at = objectives.values_of(graph, objective, "photo", redirect=redirect, precision="float32")
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
    # The same channels with the ReLU wide open: the gradient is that of the linear layer.
    layer.set_weights([*layer.get_weights()[:-1], bias * 0 + (3 if form == "layer" else 50)])
    if form == "depthwise":
        layer.set_weights([*layer.get_weights()[:-1], bias * 0 + 3])
    graph = Graph(model)
    _, opened = value_and_gradient(False)
    np.testing.assert_allclose(gradient[[0, 2]], opened[[0, 2]], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("form", ["layer", "depthwise"])
def test_past_the_end_of_a_relu6_the_gradient_goes_on(form: str) -> None:
    model = relu_model(form)
    layer = model.get_layer("target" if form == "depthwise" else "conv")
    layer.set_weights([*layer.get_weights()[:-1], np.float32([9, 9, 3, 3])])
    x, indices = tf.constant(photo_batch(model, 4)), np.int32([0, 1, 2, 3])
    found = []
    for redirect in (False, True):
        objective = Objective("channel", "target", (0, 1, 2, 3))
        values_at = objectives.values_of(Graph(model), objective, "photo", redirect=redirect, precision="float32")
        with tf.GradientTape() as tape:
            tape.watch(x)
            values = values_at(x, indices, np.int32([0, 0]))
        np.testing.assert_allclose(values[:2], [6, 6], rtol=1e-5)
        found.append(tape.gradient(values, x).numpy())
    plain, redirected = found
    assert np.all(plain[:2] == 0)
    layer.set_weights([*layer.get_weights()[:-1], np.float32([3, 3, 3, 3])])
    values_at = objectives.values_of(Graph(model), objective, "photo", redirect=False, precision="float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = values_at(x, indices, np.int32([0, 0]))
    np.testing.assert_allclose(redirected, tape.gradient(values, x), rtol=1e-4, atol=1e-6)
