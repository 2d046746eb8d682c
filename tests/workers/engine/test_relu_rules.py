"""The rules compared with NumPy, on networks small enough to be written out, for every form in which a model can have a ReLU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.workers.engine.support import probe_of, relative_difference, zoo_probe
from tests.zoo import TARGET_LAYER, photo_batch, seeded
from workers.contract.probe import ReluRule

RULES: tuple[ReluRule, ...] = ("gradient", "guided", "deconv")
SIZE = (3, 2, 2)  # H, W, C of the photo
CAP = 6.0

# Each form puts a dense layer of `units` and a ReLU (a ReLU6 where the name says so) after a tensor.
FORMS: dict[str, Callable[[Any, int, str], Any]] = {
    "argument": lambda x, units, name: layers.Dense(units, activation="relu", name=name)(x),
    "argument6": lambda x, units, name: layers.Dense(units, activation="relu6", name=name)(x),
    "function": lambda x, units, name: layers.Dense(units, activation=tf.nn.relu, name=name)(x),
    "layer": lambda x, units, name: layers.ReLU()(layers.Dense(units, name=name)(x)),
    "layer6": lambda x, units, name: layers.ReLU(6)(layers.Dense(units, name=name)(x)),
    "layer_as_argument": lambda x, units, name: layers.Dense(units, activation=layers.ReLU(), name=name)(x),
    "activation": lambda x, units, name: layers.Activation("relu")(layers.Dense(units, name=name)(x)),
    "activation6": lambda x, units, name: layers.Activation("relu6")(layers.Dense(units, name=name)(x)),
    "operation": lambda x, units, name: keras.ops.relu(layers.Dense(units, name=name)(x)),
    "operation6": lambda x, units, name: keras.ops.relu6(layers.Dense(units, name=name)(x)),
    "wrapped": lambda x, units, name: layers.Flatten()(
        layers.TimeDistributed(layers.Dense(units, activation="relu", name=name), name=f"td_{name}")(layers.Reshape((1, -1))(x))
    ),
    "wrapped_layer": lambda x, units, name: layers.Flatten()(
        layers.TimeDistributed(layers.ReLU(), name=f"td_{name}")(layers.Reshape((1, -1))(layers.Dense(units, name=name)(x)))
    ),
}


def two_layers(form: str, *, nested: bool = False) -> keras.Model:
    """Return a model: photo → 5 → 4 units, both with a ReLU, → 3 logits; with `nested` the first two are in a model in a model."""

    def body(x: Any) -> Any:
        return FORMS[form](FORMS[form](layers.Flatten(name="flat")(x), 5, "first"), 4, "second")

    photo = keras.Input(SIZE, name="photo")
    if nested:
        inner, outer = keras.Input(SIZE, name="inner"), keras.Input(SIZE, name="outer")
        x = keras.Model(outer, keras.Model(inner, body(inner), name="core")(outer), name="base")(photo)
    else:
        x = body(photo)
    return seeded(keras.Model(photo, layers.Dense(3, activation="softmax", name="scores")(x)), seed=3)


def kernels(model: keras.Model) -> list[np.ndarray]:
    """Return kernel and bias of each dense layer, in order."""
    return [np.asarray(weight, np.float64) for weight in model.get_weights()]


def by_hand(model: keras.Model, x: np.ndarray, classes: np.ndarray, rule: ReluRule, cap: float) -> np.ndarray:
    """Return ∂logit/∂x in float64, with the gradient of a ReLU as its rule says: g·1[0<z<cap], g·1[z>0]·1[g>0] or g·1[g>0]."""
    k1, b1, k2, b2, k3, _ = kernels(model)
    z1 = x.reshape(len(x), -1) @ k1 + b1
    z2 = np.clip(z1, 0, cap) @ k2 + b2

    def back(g: np.ndarray, z: np.ndarray) -> np.ndarray:
        return g * {"gradient": (z > 0) & (z < cap), "guided": (z > 0) & (g > 0), "deconv": g > 0}[rule]

    g = k3[:, classes].T
    return (back(back(g, z2) @ k2.T, z1) @ k1.T).reshape(x.shape)


def photos(n: int = 5) -> np.ndarray:
    """Return photos with values so large that ReLUs are closed, open and, for ReLU6, at their end."""
    return np.random.default_rng(8).normal(0, 6, (n, *SIZE)).astype("float32")


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_relu_follows_the_rule(form: str, nested: bool) -> None:
    model = two_layers(form, nested=nested)
    x, classes, cap = photos(), np.array([0, 2, 1, 1, 0], np.int32), CAP if form.endswith("6") else np.inf
    probe = probe_of(model)
    found = {rule: probe.input_gradients(x, classes, relu_rule=rule).gradients for rule in RULES}
    for rule in RULES:
        np.testing.assert_allclose(found[rule], by_hand(model, x, classes, rule, cap), atol=2e-6, err_msg=rule)
    for one, other in (("gradient", "guided"), ("gradient", "deconv"), ("guided", "deconv")):
        assert relative_difference(found[one], found[other]) > 0.05  # otherwise the comparison above could not fail


def test_a_rule_changes_neither_the_forward_pass_nor_the_model() -> None:
    probe = zoo_probe("batch_norm")
    model = probe.graph.model
    x = photo_batch(model, 2)
    config, weights = model.get_config(), [np.array(weight) for weight in model.weights]
    with tf.GradientTape() as tape:
        watched = tf.constant(x)
        tape.watch(watched)
        score = model(watched)[:, 1]
    before = tape.gradient(score, watched)
    for rule in RULES:
        ruled = probe.input_gradients(x, np.array([1, 1], np.int32), relu_rule=rule)
        assert relative_difference(ruled.probabilities, model(x)) < 1e-5
    with tf.GradientTape() as tape:
        watched = tf.constant(x)
        tape.watch(watched)
        score = model(watched)[:, 1]
    np.testing.assert_array_equal(tape.gradient(score, watched), before)
    assert model.get_config() == config
    for weight, same in zip(model.weights, weights, strict=True):
        np.testing.assert_array_equal(weight, same)


def test_relus_that_followed_a_rule_are_counted() -> None:
    probe = zoo_probe("batch_norm")
    x, top = photo_batch(probe.graph.model, 1), np.array([-1], np.int32)
    assert [probe.input_gradients(x, top, relu_rule=rule).relus for rule in RULES] == [0, 5, 5]
    probe = zoo_probe("two_outputs")
    assert probe.input_gradients(photo_batch(probe.graph.model, 1), top, relu_rule="guided").relus == 2
    assert zoo_probe("shared_layer").input_gradients(x, top, relu_rule="guided").relus == 0


def test_leaky_and_other_activations_keep_their_own_gradient() -> None:
    photo = keras.Input(SIZE, name="photo")
    x = layers.Flatten(name="flat")(photo)
    for index, activation in enumerate(("tanh", "leaky_relu", "silu")):
        x = layers.Dense(4, activation=activation, name=f"dense{index}")(x)
    x = layers.ReLU(negative_slope=0.1, name="leaky")(layers.LeakyReLU(name="leaky2")(x))
    probe = probe_of(seeded(keras.Model(photo, layers.Dense(2, name="scores")(layers.ReLU(threshold=0.5, name="over")(x)))))
    x = photos()
    gradients = [probe.input_gradients(x, np.zeros(5, np.int32), relu_rule=rule).gradients for rule in RULES]
    assert gradients[0].any()
    np.testing.assert_array_equal(gradients[0], gradients[1])
    np.testing.assert_array_equal(gradients[0], gradients[2])


@pytest.mark.parametrize("name", ["functional", "nested", "batch_norm", "shared_model", "any_size", "grey", "mixed_float16", "binary"])
def test_a_batch_gives_what_its_examples_give_alone(name: str) -> None:
    probe = zoo_probe(name)
    x = photo_batch(probe.graph.model, 3)
    tops = np.full(3, -1, np.int32)
    for rule in RULES:
        together = probe.input_gradients(x, tops, relu_rule=rule).gradients
        alone = np.concatenate([probe.input_gradients(example[None], tops[:1], relu_rule=rule).gradients for example in x])
        assert relative_difference(together, alone) <= (2**-9 if name == "mixed_float16" else 1e-5)
    assert probe.traces == len(RULES)


def test_one_trace_for_all_classes() -> None:
    probe = zoo_probe("functional")
    for index in (0, 3, -1):
        probe.input_gradients(photo_batch(probe.graph.model, 2), np.array([index, 1], np.int32), relu_rule="guided")
    assert probe.traces == 1


def test_bfloat16_follows_the_rule_too() -> None:
    model = two_layers("argument")
    x, classes = photos(), np.array([0, 2, 1, 1, 0], np.int32)
    found = probe_of(model).input_gradients(x, classes, relu_rule="guided", precision="bfloat16").gradients
    expected = by_hand(model, x, classes, "guided", np.inf)
    assert 0 < relative_difference(found, expected) < 0.05


def test_backprojection_follows_the_rule_at_every_relu() -> None:
    model = two_layers("argument")
    k1, b1, k2, b2, *_ = kernels(model)
    x, seed = photos(3), np.random.default_rng(2).normal(size=(3, 4)).astype("float32")
    z1 = x.reshape(3, -1) @ k1 + b1
    z2 = np.maximum(z1, 0) @ k2 + b2
    probe = probe_of(model)
    expected = {
        "gradient": ((seed * (z2 > 0)) @ k2.T * (z1 > 0)) @ k1.T,
        "deconv": np.maximum(np.maximum(seed, 0) @ k2.T, 0) @ k1.T,
        "guided": (np.maximum(np.maximum(seed, 0) * (z2 > 0) @ k2.T, 0) * (z1 > 0)) @ k1.T,
    }
    for rule in RULES:
        np.testing.assert_allclose(probe.backproject(x, "second", seed, relu_rule=rule), expected[rule].reshape(x.shape), atol=1e-6)


@pytest.mark.parametrize("name", ["functional", "nested", "batch_norm", "any_size", "two_inputs", "shared_layer"])
def test_backprojection_equals_plain_gradient_tape_code(name: str) -> None:
    probe = zoo_probe(name)
    graph, layer = probe.graph, TARGET_LAYER[name]
    x = photo_batch(graph.model, 2)
    with tf.GradientTape() as tape:
        watched = tf.constant(x)
        tape.watch(watched)
        activations = graph.run(watched, [layer])[layer]
        seed = np.random.default_rng(1).normal(size=activations.shape).astype("float32")
        total = tf.reduce_sum(seed * activations)
    assert relative_difference(probe.backproject(x, layer, seed), tape.gradient(total, watched)) < 1e-5
