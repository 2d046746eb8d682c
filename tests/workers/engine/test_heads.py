from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas.errors import InvalidParameters
from tests.zoo import HEAD, ZOO, photo_batch, seeded
from workers.engine.graph import Graph

CLASSIFIERS = sorted(name for name, head in HEAD.items() if head != "none" and name != "two_inputs")


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_probabilities_from_logits_are_the_models_own_output(name: str) -> None:
    model = ZOO[name]()
    x = photo_batch(model, 3)
    graph = Graph(model)
    _, logits = graph.class_scores(x)
    output = keras.tree.flatten(model(x, training=False))[0]
    assert logits.dtype == tf.float32
    if HEAD[name] == "logits":
        np.testing.assert_allclose(logits, output, atol=1e-6)
        output = tf.nn.softmax(output)
    if HEAD[name] == "binary":
        output = np.concatenate([1 - output, output], axis=1)
    np.testing.assert_allclose(graph.head.probabilities(logits), output, atol=1e-6)


def ending(*tail: object) -> keras.Model:
    photo = keras.Input((3, 2, 2), name="photo")
    x = layers.Flatten(name="flat")(photo)
    x = layers.Dense(4, name="scores")(x)
    for layer in tail:
        x = layer(x)
    return seeded(keras.Model(photo, x))


@pytest.mark.parametrize(
    ("tail", "kind"),
    [
        ([layers.Activation("softmax")], "softmax"),
        ([layers.Activation(tf.nn.softmax)], "softmax"),
        ([layers.Activation(layers.Softmax())], "softmax"),
        ([layers.Softmax(axis=1)], "softmax"),
        ([keras.ops.softmax], "softmax"),
        ([keras.activations.softmax], "softmax"),
        ([layers.Activation("sigmoid")], "sigmoid"),
        ([keras.ops.sigmoid], "sigmoid"),
        ([layers.Softmax(), layers.Dropout(0.3), layers.Activation("linear", dtype="float32")], "softmax"),
        ([layers.Softmax(), layers.Identity(), lambda x: keras.ops.cast(x, "float32")], "softmax"),
        ([layers.Softmax(), layers.Reshape((4,))], "softmax"),
        ([], "logits"),
        ([layers.ReLU()], "logits"),
        ([layers.Activation("softmax"), layers.Dense(4)], "logits"),
    ],
)
def test_the_activation_is_found_in_every_form(tail: list, kind: str) -> None:
    model = ending(*tail)
    graph, x = Graph(model), photo_batch(model)
    assert graph.head.kind == kind
    assert graph.head.classes == 4
    _, logits = graph.class_scores(x)
    expected = graph.run(x, ["scores"])["scores"] if kind != "logits" else model(x)
    np.testing.assert_allclose(logits, expected, atol=1e-6)


def test_a_softmax_over_a_single_position_is_found_before_the_flattening() -> None:
    photo = keras.Input((5, 4, 3), name="photo")
    x = layers.GlobalAveragePooling2D(keepdims=True, name="gap")(photo)
    x = layers.Conv2D(4, 1, activation="softmax", name="scores")(x)
    model = seeded(keras.Model(photo, layers.Flatten(name="flat")(x)))
    graph, x = Graph(model), photo_batch(model)
    assert graph.head.kind == "softmax"
    kernel, bias = model.get_layer("scores").get_weights()
    np.testing.assert_allclose(graph.class_scores(x)[1], x.mean((1, 2)) @ kernel[0, 0] + bias, atol=1e-6)


def test_a_softmax_over_positions_is_not_a_head() -> None:
    photo = keras.Input((3, 2, 2), name="photo")
    model = keras.Model(photo, layers.Flatten(name="flat")(layers.Softmax(name="softmax")(photo)))
    graph = Graph(model)
    assert graph.head.kind == "logits"  # the 12 numbers come from six softmaxes, so there are no logits for them
    x = photo_batch(model)
    np.testing.assert_allclose(graph.class_scores(x)[1], model(x), atol=1e-6)


def test_an_activation_inside_a_recurrent_layer_is_not_its_last_step() -> None:
    sequence = keras.Input((4, 3), name="sequence")
    model = keras.Model(sequence, layers.LSTM(2, activation="sigmoid", name="lstm")(sequence))
    assert Graph(model).head.kind == "logits"


def test_the_activation_is_left_out_of_a_replaced_layer_too() -> None:
    model = ZOO["functional"]()
    graph, x = Graph(model), photo_batch(model)
    half = graph.fast_calls(scores=True, precision="bfloat16")
    _, logits = graph.class_scores(x, override=half)
    np.testing.assert_allclose(logits, graph.class_scores(x)[1], atol=0.05)
    assert not np.array_equal(logits, graph.class_scores(x)[1])
    with pytest.raises(TypeError, match="replaces layer 'predictions'"):
        graph.class_scores(x, override={"predictions": lambda y: y})


def test_only_the_last_call_of_a_shared_layer_loses_its_activation() -> None:
    photo = keras.Input((3,), name="numbers")
    dense = layers.Dense(3, activation="softmax", name="shared")
    model = seeded(keras.Model(photo, dense(dense(photo))))
    x = np.array([[0.1, 2.0, -1.0]], "float32")
    kernel, bias = dense.get_weights()
    np.testing.assert_allclose(Graph(model).class_scores(x)[1], tf.nn.softmax(x @ kernel + bias) @ kernel + bias, atol=1e-6)


def test_a_model_without_a_class_output_is_refused() -> None:
    model = ZOO["no_classes"]()
    assert Graph(model).head.classes is None
    with pytest.raises(InvalidParameters, match="no class output"):
        Graph(model).class_scores(photo_batch(model))
