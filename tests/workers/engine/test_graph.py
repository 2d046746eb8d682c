from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas.errors import InvalidParameters
from tests.zoo import TARGET_LAYER, ZOO, photo_batch, seeded
from workers.engine.graph import Graph
from workers.engine.keras_internals import producer_of


def inputs_of(model: keras.Model, n: int = 2) -> list[np.ndarray]:
    extra = [np.linspace(-1, 1, n * 4, dtype="float32").reshape(n, 4)] if len(model.inputs) == 2 else []
    return [photo_batch(model, n), *extra]


def by_path(graph: Graph) -> dict:
    return {layer.path: layer for layer in graph.layers}


@pytest.mark.parametrize("name", sorted(ZOO))
def test_running_step_by_step_gives_the_output_of_the_model(name: str) -> None:
    model = ZOO[name]()
    graph = Graph(model)
    given = inputs_of(model)
    outputs = keras.tree.flatten(model(given if len(given) > 1 else given[0], training=False))
    last = [producer_of(tensor).name for tensor in model.outputs]
    taps = graph.run(given, last)
    for path, expected in zip(last, outputs, strict=True):
        np.testing.assert_allclose(taps[path], expected, rtol=0, atol=1e-6)


def test_a_nested_models_path_is_its_output() -> None:
    model = ZOO["nested"]()
    taps = Graph(model).run(photo_batch(model), ["base", "base/conv2", "rescale"])
    np.testing.assert_array_equal(taps["base"], taps["base/conv2"])
    np.testing.assert_allclose(taps["base"], model.get_layer("base")(taps["rescale"]), atol=1e-6)


def test_only_what_the_taps_depend_on_is_called() -> None:
    model = ZOO["functional"]()

    def never(*_: object) -> None:
        raise AssertionError("called")

    taps = Graph(model).run(photo_batch(model), ["pool1"], {"conv2": never, "predictions": never})
    assert list(taps) == ["pool1"]
    with pytest.raises(AssertionError, match="called"):
        Graph(model).run(photo_batch(model), ["flatten"], {"conv2": never})


def test_an_override_replaces_a_layer_in_nested_models_too() -> None:
    model = ZOO["nested"]()
    taps = Graph(model).run(photo_batch(model), ["base/conv2", "flatten"], {"base/conv2": lambda x: x[:, ::2] * 3})
    pooled = model.get_layer("base").get_layer("pool1")(model.get_layer("base").get_layer("conv1")(photo_batch(model) * 0.5))
    np.testing.assert_allclose(taps["base/conv2"], pooled[:, ::2] * 3, rtol=1e-6)
    np.testing.assert_allclose(taps["flatten"], tf.reshape(pooled[:, ::2] * 3, (2, -1)), rtol=1e-6)


def test_what_an_intercept_returns_replaces_the_output() -> None:
    model = ZOO["functional"]()
    graph = Graph(model)
    seen: list[str] = []

    def zero(path: str, value: tf.Tensor) -> tf.Tensor:
        seen.append(path)
        return tf.zeros_like(value)

    taps = graph.run(photo_batch(model), ["pool1"], intercept=zero)
    assert float(tf.reduce_max(tf.abs(taps["pool1"]))) == 0
    _, logits = graph.class_scores(photo_batch(model), ["conv2"], intercept=zero)
    assert seen == ["pool1", "conv2"]
    hidden = tf.nn.relu(model.get_layer("hidden").bias)
    expected = tf.linalg.matvec(model.get_layer("predictions").kernel, hidden, transpose_a=True) + model.get_layer("predictions").bias
    np.testing.assert_allclose(logits, np.tile(expected, (2, 1)), rtol=1e-5)


def test_the_path_of_a_shared_layer_means_its_first_call() -> None:
    model = ZOO["shared_layer"]()
    graph, x = Graph(model), photo_batch(model)
    convolution = model.get_layer("shared")
    assert [layer.path for layer in graph.layers] == ["photo", "shared", "gap", "predictions"]
    np.testing.assert_allclose(graph.run(x, ["shared"])["shared"], convolution(x), atol=1e-6)
    pooled = tf.reduce_mean(convolution(convolution(x)), (1, 2))
    np.testing.assert_allclose(graph.run(x, ["gap"])["gap"], pooled, atol=1e-6)
    # An override replaces every call; with //1 it replaces the second call alone.
    np.testing.assert_allclose(graph.run(x, ["gap"], {"shared": lambda y: y + 1})["gap"], tf.reduce_mean(x + 2, (1, 2)), atol=1e-5)
    second = graph.run(x, ["gap"], {"shared//1": lambda y: y + 1})["gap"]
    np.testing.assert_allclose(second, tf.reduce_mean(convolution(x) + 1, (1, 2)), atol=1e-5)


def test_both_calls_of_a_shared_model_run_and_the_first_is_tapped() -> None:
    model = ZOO["shared_model"]()
    x = photo_batch(model)
    taps = Graph(model).run(x, ["base/conv2", "both"])
    base = model.get_layer("base")
    np.testing.assert_allclose(taps["base/conv2"], base(x), atol=1e-6)
    np.testing.assert_allclose(taps["both"], tf.concat([base(x), base(x[:, :, ::-1])], -1), atol=1e-6)


def test_an_input_that_no_tap_needs_may_be_missing() -> None:
    model = ZOO["two_inputs"]()
    graph = Graph(model)
    photo = photo_batch(model)
    numbers = np.ones((2, 4), "float32")
    by_name = graph.run({"numbers": numbers, "photo": photo}, ["predictions"])["predictions"]
    np.testing.assert_allclose(by_name, model([photo, numbers]), atol=1e-6)
    assert graph.run({"photo": photo}, ["conv2"])["conv2"].shape == (2, 4, 8, 8)
    with pytest.raises(InvalidParameters, match="inputs photo, numbers; 'numbers' is needed here and was not given"):
        graph.run({"photo": photo}, ["predictions"])


@pytest.mark.parametrize("name", ["functional", "nested", "sequential"])
def test_convolutions_run_at_any_size_in_a_model_of_fixed_size(name: str) -> None:
    model = ZOO[name]()
    path = TARGET_LAYER[name]
    small, large = photo_batch(model, 1), photo_batch(model, 1, size=(26, 31))
    large[:, :13, :9] = small
    got = Graph(model).run(large, [path])[path]
    own = Graph(model).run(small, [path])[path]
    assert got.shape[1] > own.shape[1]
    assert got.shape[2] > own.shape[2]
    # Away from the borders the images are equal there, and so are the maps.
    np.testing.assert_allclose(got[:, :2, :3], own[:, :2, :3], atol=1e-5)


def test_training_in_the_graph_is_turned_off() -> None:
    photo = keras.Input((3, 2, 1), name="photo")
    model = keras.Model(photo, layers.Dropout(0.9, name="dropout")(photo, training=True))
    x = photo_batch(model)
    np.testing.assert_array_equal(Graph(model).run(x, ["dropout"])["dropout"], x)


def test_the_first_of_several_outputs_is_tapped_and_all_are_passed_on() -> None:
    photo = keras.Input((4, 3), name="sequence")
    sequence, last, cell = layers.LSTM(2, return_sequences=True, return_state=True, name="lstm")(photo)
    model = seeded(keras.Model(photo, layers.Concatenate(name="both")([last, cell, layers.Flatten(name="flat")(sequence)])))
    x = np.random.default_rng(1).normal(size=(2, 4, 3)).astype("float32")
    taps = Graph(model).run(x, ["lstm", "both"])
    np.testing.assert_allclose(taps["lstm"], model.get_layer("lstm")(x)[0], atol=1e-6)
    np.testing.assert_allclose(taps["both"], model(x), atol=1e-6)


@pytest.mark.parametrize("name", ["batch_norm", "nested_head", "shared_model"])
def test_the_model_is_not_changed(name: str) -> None:
    model = ZOO[name]()
    before = model.to_json(), [weight.numpy() for weight in model.weights]
    nodes = [len(layer._inbound_nodes) for layer in model._flatten_layers()]
    graph = Graph(model)
    graph.run(photo_batch(model), [layer.path for layer in graph.layers])
    graph.class_scores(photo_batch(model), override=graph.fast_calls(scores=True))
    graph.class_scores(photo_batch(model), override=graph.fast_calls(scores=True, precision="bfloat16"))
    assert model.to_json() == before[0]
    assert nodes == [len(layer._inbound_nodes) for layer in model._flatten_layers()]
    for weight, value in zip(model.weights, before[1], strict=True):
        np.testing.assert_array_equal(weight, value)
