"""Class scores of a named output, and class scores computed from replaced activations of a layer."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas.errors import InvalidParameters, NoGradient, UnknownClass, UnknownLayer
from tests.workers.engine.support import probe_of, relative_difference, zoo_probe
from tests.zoo import CLASSES, HEAD, TARGET_LAYER, ZOO, photo_batch, seeded
from workers.engine.graph import Graph

CLASSIFIERS = sorted(name for name, head in HEAD.items() if head != "none")


def three_outputs() -> keras.Model:
    """Return a model with three outputs: 5 classes by softmax, one sigmoid unit from a branch of its own, and a map."""
    photo = keras.Input((6, 5, 3), name="photo")
    x = layers.Conv2D(4, 3, activation="relu", name="trunk")(photo)
    kind = layers.Dense(5, activation="softmax", name="kind")(layers.Flatten(name="flat")(x))
    branch = layers.Conv2D(2, 2, activation="tanh", name="branch")(x)
    answer = layers.Activation("sigmoid", name="answer")(layers.Dense(1, name="score")(layers.Flatten(name="flat2")(branch)))
    return seeded(keras.Model(photo, [kind, answer, branch]))


def test_heads_of_all_outputs() -> None:
    graph = Graph(three_outputs())
    assert graph.output_names == ("kind", "answer", "branch")
    assert [(graph.head_of(name).kind, graph.head_of(name).classes) for name in graph.output_names] == [
        ("softmax", 5),
        ("binary", 2),
        ("none", None),
    ]
    assert graph.head_of(None) is graph.head is graph.head_of("kind")
    assert not graph.reaches_scores("branch")
    assert graph.reaches_scores("branch", "answer")
    assert not graph.reaches_scores("answer", "answer")  # the score is computed before the sigmoid
    with pytest.raises(InvalidParameters, match=r"outputs kind, answer, branch; there is no 'kinds'"):
        graph.head_of("kinds")


def test_outputs_of_one_layer_have_names_of_their_own() -> None:
    photo = keras.Input((4,), name="photo")
    inner = keras.Input((4,), name="inner")
    pair = keras.Model(inner, [layers.Dense(2, name="a")(inner), layers.Dense(3, name="b")(inner)], name="pair")
    graph = Graph(keras.Model(photo, pair(photo)))
    assert graph.output_names == ("pair", "pair_1")
    assert graph.head_of("pair_1").classes == 3


def test_gradients_and_scores_of_the_second_output() -> None:
    model = three_outputs()
    x = photo_batch(model, 3)
    probe = probe_of(model)
    for answer, sign in ((1, 1), (0, -1)):
        found = probe.gradients(x, "branch", np.full(3, answer, np.int32), output="answer")
        kernel = model.get_layer("score").kernel.numpy()
        np.testing.assert_allclose(found.gradients, np.broadcast_to(sign * kernel.reshape(1, 3, 2, 2), (3, 3, 2, 2)), rtol=1e-6)
        np.testing.assert_allclose(found.probabilities[:, 1:], model(x)[1], atol=1e-6)
    shown = probe.forward(x, ["branch"], scores=True, output="answer")
    np.testing.assert_allclose(shown.probabilities, tf.sigmoid(shown.logits), atol=1e-6)
    logit = shown.activations["branch"].reshape(3, -1) @ kernel + model.get_layer("score").bias
    np.testing.assert_allclose(np.concatenate([-logit, logit], axis=1), shown.logits, atol=1e-5)
    with tf.GradientTape() as tape:
        watched = tf.constant(x)
        tape.watch(watched)
        logits = model.get_layer("score")(model.get_layer("flat2")(model(watched)[2]))
    expected = tape.gradient(logits, watched)
    assert relative_difference(probe.input_gradients(x, np.ones(3, np.int32), output="answer").gradients, expected) < 1e-5


def test_the_first_output_by_name_is_traced_once() -> None:
    probe = probe_of(three_outputs())
    x = photo_batch(probe.graph.model, 2)
    tops = np.full(2, -1, np.int32)
    np.testing.assert_array_equal(probe.gradients(x, "trunk", tops).gradients, probe.gradients(x, "trunk", tops, output="kind").gradients)
    assert probe.traces == 1


def test_wrong_outputs_are_refused() -> None:
    probe = probe_of(three_outputs())
    x = photo_batch(probe.graph.model, 1)
    top = np.array([-1], np.int32)
    with pytest.raises(InvalidParameters, match="there is no 'nothing'"):
        probe.gradients(x, "trunk", top, output="nothing")
    with pytest.raises(NoGradient, match="no class output at output 'branch'"):
        probe.gradients(x, "trunk", top, output="branch")
    with pytest.raises(InvalidParameters, match="no classes at output 'branch'"):
        probe.forward(x, scores=True, output="branch")
    with pytest.raises(NoGradient, match="not computed from layer 'branch'"):
        probe.gradients(x, "branch", top)
    with pytest.raises(UnknownClass, match="2 classes: 0 to 1"):
        probe.gradients(x, "branch", np.array([3], np.int32), output="answer")
    assert probe.traces == 0


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_scores_from_a_layers_own_activations_are_the_models(name: str) -> None:
    probe = zoo_probe(name)
    layer = TARGET_LAYER[name]
    x = photo_batch(probe.graph.model, 3)
    own = probe.forward(x, [layer], scores=True)
    found = probe.scores_from(x, layer, own.activations[layer])
    half = name.startswith("mixed")  # a fused convolution rounds once; otherwise each of its parts rounds
    assert relative_difference(found.logits, own.logits) < (1e-2 if half else 1e-5)
    assert relative_difference(found.probabilities, own.probabilities) < (1e-2 if half else 1e-5)
    other = probe.scores_from(x, layer, own.activations[layer][::-1])
    if name not in ("two_inputs", "shared_model"):  # these models also read the photo on another way
        assert relative_difference(other.logits, own.logits[::-1]) < (1e-2 if half else 1e-5)
    assert relative_difference(other.logits, own.logits) > 1e-3
    assert probe.traces == 2


@pytest.mark.parametrize("name", ["functional", "nested"])
def test_later_layers_follow_from_the_replaced_one(name: str) -> None:
    """A layer that follows the replaced one has the values of the other photo, and one before it keeps its own."""
    probe = zoo_probe(name)
    layer, graph = TARGET_LAYER[name], probe.graph
    x = photo_batch(graph.model, 2)
    paths = [each.path for each in graph.layers if each.path != layer]
    later = next(path for path in paths if graph.reaches(layer, path))
    earlier = next(path for path in paths if graph.reaches(path, layer) and path not in graph.input_names)
    own = probe.forward(x, [layer, earlier, later])
    found = probe.scores_from(x, layer, own.activations[layer][::-1].copy(), layers=[later, earlier, layer]).activations
    assert relative_difference(found[later], own.activations[later][::-1]) < 1e-5
    assert relative_difference(found[earlier], own.activations[earlier]) < 1e-5
    assert relative_difference(found[layer], own.activations[layer][::-1]) < 1e-5
    with pytest.raises(UnknownLayer):
        probe.scores_from(x, layer, own.activations[layer], layers=["lost"])


def test_what_does_not_come_from_the_layer_is_computed_from_the_photo() -> None:
    photo = keras.Input((3, 2, 2), name="photo")
    a, b = layers.Conv2D(2, 1, name="a")(photo), layers.Conv2D(2, 1, name="b")(photo)
    model = seeded(keras.Model(photo, layers.GlobalAveragePooling2D(name="mean")(layers.Add(name="add")([a, b]))))
    x = photo_batch(model, 4)
    put = np.random.default_rng(3).normal(size=(4, 3, 2, 2)).astype("float32")
    kernel, bias = model.get_layer("b").get_weights()
    expected = (put + x @ kernel[0, 0] + bias).mean((1, 2))
    np.testing.assert_allclose(probe_of(model).scores_from(x, "a", put).logits, expected, atol=1e-6)


def test_activations_that_do_not_fit_are_refused() -> None:
    probe = zoo_probe("functional")
    x = photo_batch(probe.graph.model, 2)
    right = np.zeros((2, 4, 8, 8), np.float32)
    for wrong in (right[:1], right[:, :3], right[..., 0]):
        with pytest.raises(InvalidParameters, match=r"'conv2' has activations \(2, 4, 8, 8\) for these inputs, got"):
            probe.scores_from(x, "conv2", wrong)
        with pytest.raises(InvalidParameters, match=r"'conv2' has activations \(2, 4, 8, 8\)"):
            probe.backproject(x, "conv2", wrong)
    with pytest.raises(UnknownLayer):
        probe.scores_from(x, "conv3", right)
    with pytest.raises(NoGradient, match="not computed from layer 'predictions'"):
        probe.scores_from(x, "predictions", np.zeros((2, CLASSES), np.float32))
    with pytest.raises(InvalidParameters, match=r"\(2, any, any, 8\)"):
        zoo_probe("any_size").scores_from(x, "conv2", right[..., :3])
    assert probe.traces == 0


def test_other_inputs_are_zeros_of_their_shape_and_type() -> None:
    photo, words = keras.Input((6, 5, 3), name="photo"), keras.Input((None,), dtype="int32", name="words")
    again = keras.Input((None, None, 3), name="again")
    embedded = layers.GlobalAveragePooling1D(name="bag")(layers.Embedding(7, 4, name="embedding")(words))
    pooled = [layers.GlobalMaxPooling2D(name=f"max{index}")(x) for index, x in enumerate((photo, again))]
    x = layers.Concatenate(name="all")([*pooled, embedded])
    model = seeded(keras.Model([again, words, photo], layers.Dense(2, name="scores")(x)))
    x = photo_batch(ZOO["functional"](), 3)[:, :6, :5]
    given = probe_of(keras.Model([photo, words, again], model.outputs))  # the description names the first input
    expected = model([np.zeros((3, 6, 5, 3), "float32"), np.zeros((3, 1), "int32"), x])
    np.testing.assert_allclose(given.forward(x, scores=True).logits, expected, atol=1e-6)
