"""A probe of a model with several inputs gives what the model itself gives, from the view of any image input."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas.models import Preprocessing
from tests.workers.models.description.hand_made import published
from tests.zoo.several_inputs import colour_and_depth, photo_and_values, siamese
from workers.contract.scores import Readout
from workers.engine.probe import KerasProbe

PLAIN = Preprocessing()
TOP = np.array([-1, 1], np.int32)


def probe_of(model: keras.Model) -> KerasProbe:
    return KerasProbe(model, published(model))


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def close(got: Any, expected: Any) -> None:
    np.testing.assert_allclose(got, np.asarray(expected), rtol=1e-4, atol=1e-6)


def test_given_values_reach_every_example_and_integers_stay_integers() -> None:
    model = photo_and_values()
    probe, photos = probe_of(model), random(2, 13, 9, 3)
    numbers, month = np.array([[3.2, -1.0]], np.float32), np.array([[5]], np.int32)
    bound = probe.with_inputs("photo", {"metadata": numbers, "month": month}, PLAIN)
    expected = model([photos, np.repeat(numbers, 2, 0), np.repeat(month, 2, 0)])
    close(bound.forward(photos, scores=True).probabilities, expected)
    assert bound._inputs.values["month"].dtype == tf.int32
    zeros = model([photos, np.zeros((2, 2), np.float32), np.zeros((2, 1), np.int32)])
    close(probe.forward(photos, scores=True).probabilities, zeros)
    assert np.abs(expected - zeros).max() > 0.05
    half = probe.with_inputs("photo", {"month": month}, PLAIN)
    close(half.forward(photos, scores=True).probabilities, model([photos, np.zeros((2, 2), np.float32), np.repeat(month, 2, 0)]))


def test_other_values_do_not_compile_a_function_again() -> None:
    probe, photos = probe_of(photo_and_values()), random(3, 13, 9, 3)
    for value in (1.0, 2.0, 7.5):
        probe.with_inputs("photo", {"metadata": np.array([[value, 0]], np.float32)}, PLAIN).forward(photos, scores=True)
    assert probe.traces == 1


@pytest.mark.parametrize("name", ["colour", "depth"])
def test_gradients_at_either_image_input_are_those_of_the_model(name: str) -> None:
    model = colour_and_depth()
    given = {"colour": random(2, 13, 9, 3), "depth": random(1, 13, 9, 1, seed=1)}
    if name == "depth":
        given = {"colour": given["colour"][:1], "depth": random(2, 13, 9, 1, seed=2)}
    other = "depth" if name == "colour" else "colour"
    bound = probe_of(model).with_inputs(name, {other: given[other]}, PLAIN)
    x = tf.constant(given[name])
    inputs = {name: x, other: tf.repeat(given[other], 2, axis=0)}
    with tf.GradientTape() as tape:
        tape.watch(x)
        logits = model([inputs["colour"], inputs["depth"]])
        best = tf.argmax(logits[0])
        score = logits[0, best] + logits[1, 1]
    found = bound.input_gradients(given[name], TOP)
    close(found.logits, logits)
    close(found.gradients, tape.gradient(score, x))
    assert bound.description.input.name == name
    assert bound.description.input.channels == {"colour": 3, "depth": 1}[name]


def test_a_shared_tower_is_seen_from_the_explained_image() -> None:
    """The tower's layer stands for its call on the explained photo: its activations, its gradient, and what replaces its output."""
    model = siamese()
    left, right = random(1, 13, 9, 3), random(2, 13, 9, 3, seed=1)
    tower = model.get_layer("tower")
    inner = keras.Model(tower.input, tower.get_layer("conv").output)
    bound = probe_of(model).with_inputs("right", {"left": left}, PLAIN)
    found = bound.gradients(right, "tower/conv", TOP)
    maps = inner(right)
    close(found.activations, maps)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        pooled = tf.reduce_mean(maps, axis=(1, 2))
        joined = tf.concat([tf.repeat(tower(left), 2, axis=0), pooled], axis=1)
        dense = model.get_layer("classes")
        logits = joined @ dense.kernel + dense.bias
        score = tf.reduce_max(logits[0]) + logits[1, 1]
    close(found.logits, logits)
    close(found.gradients, tape.gradient(score, maps))
    replaced = bound.scores_from(right, "tower/conv", np.zeros(maps.shape, np.float32))
    without = tf.concat([tf.repeat(tower(left), 2, axis=0), tf.zeros((2, 5))], axis=1) @ dense.kernel + dense.bias
    close(replaced.logits, without)
    seed = np.ones(maps.shape, np.float32)
    x = tf.constant(right)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(inner(x))
    close(bound.backproject(right, "tower/conv", seed), tape.gradient(total, x))
    close(bound.values(right, Readout("layer", "tower/conv")), maps)
    own = probe_of(model).with_inputs("left", {"right": right[:1]}, PLAIN)
    close(own.forward(left, ["tower/conv"]).activations["tower/conv"], inner(left))


def test_randomised_weights_keep_the_inputs() -> None:
    model = siamese()
    left, right = random(1, 13, 9, 3), random(2, 13, 9, 3, seed=1)
    bound = probe_of(model).with_inputs("right", {"left": left}, PLAIN)
    other = bound.randomised(["classes"], 3)
    dense = other._replacements["classes"]
    tower = model.get_layer("tower")
    joined = tf.concat([tf.repeat(tower(left), 2, axis=0), tower(right)], axis=1)
    close(other.forward(right, scores=True).logits, joined @ dense.kernel + dense.bias)


def test_a_linear_model_worked_by_hand() -> None:
    """Both logits are 2·Σ left − 3·Σ right + 5·number: the gradient at `right` is −3 everywhere, and the values add up."""
    left, right, number = keras.Input((2, 3, 1), name="left"), keras.Input((3, 2, 1), name="right"), keras.Input((), name="number")
    sums: list[Any] = [keras.ops.sum(each, axis=(1, 2)) for each in (left, right)]
    numbers: Any = keras.ops.reshape(number, (-1, 1))
    total = 2 * sums[0] - 3 * sums[1] + 5 * numbers
    model = keras.Model([left, right, number], layers.Dense(2, use_bias=False, name="score", kernel_initializer="ones")(total))
    bound = probe_of(model).with_inputs("right", {"left": np.ones((1, 2, 3, 1), np.float32), "number": np.array([4], np.float32)}, PLAIN)
    x = np.stack([np.ones((3, 2, 1), np.float32), np.zeros((3, 2, 1), np.float32)])
    found = bound.input_gradients(x, np.zeros(2, np.int32))
    np.testing.assert_allclose(found.logits, [[12 - 18 + 20] * 2, [12 + 20] * 2])
    np.testing.assert_allclose(found.gradients, np.full((2, 3, 2, 1), -3.0))


def test_a_shared_tower_behind_other_layers_of_the_explained_image() -> None:
    """The right image is cropped before the tower, so the tower's map lies over the part of it that is left."""
    x = keras.Input((6, 4, 1), name="x")
    tower = keras.Model(x, layers.Conv2D(2, 1, name="conv")(x), name="tower")
    left, right = keras.Input((6, 4, 1), name="left"), keras.Input((10, 4, 1), name="right")
    first = tower(left)
    second = tower(layers.Cropping2D(((3, 1), (0, 0)), name="crop")(right))
    total = layers.GlobalAveragePooling2D()(layers.Add()([first, second]))
    model = keras.Model([left, right], layers.Dense(2, name="classes")(total))
    bound = probe_of(model).with_inputs("right", {"left": random(1, 6, 4, 1)}, PLAIN)
    paths = [layer.path for layer in bound.graph.layers]
    for position, layer in enumerate(bound.graph.layers):
        assert set(layer.inbound) <= set(paths[:position])
    assert bound.graph.layer_at("tower/x").inbound == ("crop",)
    place = bound.map_place("tower/conv", (10, 4))
    assert (place.area, place.seen) == ((3.0, 0.0, 6.0, 4.0), (3.0, 0.0, 6.0, 4.0))
