"""The contributions sum to the difference of the logits, however layers are put together, or the layer without a rule is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from schemas.errors import NoGradient, UnsuitableLayer
from tests.workers.engine.relevance.test_conservation import WAYS
from tests.workers.engine.relevance.test_routes import REFUSED
from tests.workers.engine.support import probe_of, zoo_probe
from tests.zoo import photo_batch, seeded
from workers.contract.contributions import Contributions
from workers.contract.probe import Readout
from workers.engine.probe import KerasProbe

SIZE = (13, 9, 3)
QUICK = ("pooled", "squeeze_and_excitation")  # each other way is a slow test


def contributions(model: keras.Model | KerasProbe, x: np.ndarray, baselines: np.ndarray, classes: list[int]) -> Contributions:
    probe = model if isinstance(model, KerasProbe) else probe_of(model)
    return probe.contributions(x, baselines, np.array(classes, np.int32))


def photos(n: int = 2, seed: int = 3, size: tuple[int, ...] = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 4, (n, *size)).astype(np.float32)


def model(build: Callable[[Any], Any], size: tuple[int, ...] = SIZE) -> keras.Model:
    photo = keras.Input(size, name="photo")
    x = layers.Flatten(name="flat")(build(layers.Rescaling(1 / 2, -0.5, name="scale")(photo)))
    x = layers.Dense(7, activation="gelu", name="hidden")(x)
    return seeded(keras.Model(photo, layers.Dense(4, activation="softmax", name="scores")(x)))


def activations(x: Any) -> Any:
    x = layers.PReLU(alpha_initializer=keras.initializers.Constant(0.2))(layers.Conv2D(4, 3, activation="elu")(x))
    x = layers.BatchNormalization()(layers.Activation("sigmoid")(ops.subtract(1.0, x)))
    return layers.Minimum()([layers.LeakyReLU()(x), layers.Conv2D(4, 1, activation="tanh")(x)])


def factors(x: Any) -> Any:
    """A product of two signals, a square and a division by a constant."""
    x = layers.Conv2D(4, 3)(x)
    return layers.Multiply()([x, layers.Conv2D(4, 1, activation="relu")(x)]) + x * x / 4.0


@pytest.mark.parametrize(
    "build",
    [
        *(pytest.param(build, id=name, marks=() if name in QUICK else pytest.mark.slow) for name, build in WAYS.items()),
        activations,
        factors,
    ],
)
def test_contributions_sum_to_the_difference_of_the_logits(build: Callable[[Any], Any]) -> None:
    built, x, start = model(build), photos(), photos(seed=4)
    found = contributions(built, x, start, [1, -1])
    logits = keras.Model(built.input, built.get_layer("hidden").output)(np.concatenate([x, start])) @ built.get_layer("scores").kernel
    logits = (logits + built.get_layer("scores").bias).numpy()
    np.testing.assert_allclose(found.logits, logits[:2], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.baseline_logits, logits[2:], rtol=1e-4, atol=1e-5)
    chosen = [1, int(logits[1].argmax())]
    np.testing.assert_array_equal(found.class_indices, chosen)
    gained = (logits[:2] - logits[2:])[[0, 1], chosen]
    assert np.abs(gained).min() > 1e-3
    np.testing.assert_allclose(found.contributions.sum(axis=(1, 2, 3)), gained, rtol=1e-3, atol=1e-4)
    assert (np.abs(found.contributions).max(axis=(1, 2, 3)) > 0).all()


def test_of_a_linear_model_they_are_the_gradient_times_the_difference() -> None:
    photo = keras.Input((5, 4, 3), name="photo")
    x = layers.Flatten()(layers.AveragePooling2D(2)(layers.Conv2D(4, 2)(photo)))
    built = seeded(keras.Model(photo, layers.Dense(3)(x)))
    x, start = photos(size=(5, 4, 3)), photos(seed=7, size=(5, 4, 3))
    with tf.GradientTape() as tape:
        given = tf.constant(x)
        tape.watch(given)
        explained = built(given)[0, 2] + built(given)[1, 0]
    gradient = tape.gradient(explained, given).numpy()
    np.testing.assert_allclose(contributions(built, x, start, [2, 0]).contributions, gradient * (x - start), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in REFUSED if name not in ("product", "square")])  # DeepLIFT has a rule for these
def test_a_layer_without_a_rule_is_named(name: str) -> None:
    block, why = REFUSED[name]
    built = model(lambda x: block(layers.Conv2D(4, 3, name="first")(x)), (7, 5, 3))
    with pytest.raises(UnsuitableLayer, match=f"Layer 'odd' .*{why}.* no rule of DeepLIFT|its activation is 'softmax'") as raised:
        contributions(built, photos(size=(7, 5, 3)), photos(size=(7, 5, 3)), [0, 0])
    assert raised.value.got == "odd"


def test_a_product_of_three_factors_is_named() -> None:
    def three(x: Any) -> Any:
        return layers.Multiply(name="odd")([layers.Conv2D(2, 1)(x) for _ in range(3)])

    with pytest.raises(UnsuitableLayer, match="product of 3 factors"):
        contributions(model(three), photos(), photos(), [0, 0])


def test_probabilities_without_logits_are_refused() -> None:
    photo = keras.Input(SIZE, name="photo")
    x = layers.Flatten()(photo)
    mean = layers.Average(name="mean")([layers.Dense(3, activation="softmax")(x) for _ in range(2)])
    with pytest.raises(UnsuitableLayer, match=r"Layer 'dense_\d*' .*activation is 'softmax'"):
        contributions(keras.Model(photo, mean), photos(), photos(), [0, 0])


def test_another_target_adds_up_too() -> None:
    """The target is half the value of a neuron minus that of another one."""
    probe = zoo_probe("functional")
    x = photo_batch(probe.graph.model, 2)
    shape = probe.values(x, Readout("layer", "conv2")).shape[1:]
    weights = np.zeros((1, *shape), np.float32)
    weights[0, 1, 1, 0], weights[0, 0, 0, 3] = 0.5, -1
    explaining = probe.explaining(Readout("layer", "conv2"), weights, ["neurons"])
    values = [(probe.values(each, Readout("layer", "conv2")) * weights).sum(axis=(1, 2, 3)) for each in (x, -x)]
    found = explaining.contributions(x, -x, np.zeros(2, np.int32))
    np.testing.assert_allclose(found.contributions.sum(axis=(1, 2, 3)), values[0] - values[1], rtol=1e-4, atol=1e-5)


def test_an_input_on_which_the_score_does_not_depend_is_refused() -> None:
    photo, other = keras.Input(SIZE, name="photo"), keras.Input(SIZE, name="other")
    score = layers.Dense(3)(layers.Flatten()(other))
    side = layers.Dense(2)(layers.Flatten()(photo))
    with pytest.raises((NoGradient, UnsuitableLayer)):
        contributions(keras.Model([photo, other], [score, side]), photos(), photos(), [0, 0])
