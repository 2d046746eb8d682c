"""The rules on numbers worked by hand, and on every kind of layer compared with the contributions x·W written out as a matrix."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.workers.engine.relevance.support import relevances
from tests.zoo import seeded
from workers.contract.relevance import RelevanceRules
from workers.engine.relevance.linear_parts import has_weights, linear_parts
from workers.engine.relevance.rules import Propagation

X = np.array([1, 2], np.float32).reshape(1, 1, 2, 1)
GAMMA, ALPHA, EPSILON = 0.5, 3.0, 0.01


def two_layers(bias: float = 0.0) -> keras.Model:
    """Return a model of two dense layers: (1, 2) gives the hidden values (3, 3), and the logits 2·3 − 3 + bias = 3 + bias and 3."""
    photo = keras.Input((1, 2, 1), name="photo")
    hidden = layers.Dense(2, activation="relu", use_bias=False, name="hidden")(layers.Flatten(name="flat")(photo))
    model = keras.Model(photo, layers.Dense(2, activation="softmax", name="scores")(hidden))
    model.get_layer("hidden").set_weights([np.array([[1, -1], [1, 2]], np.float32)])
    model.get_layer("scores").set_weights([np.array([[2, 0], [-1, 1]], np.float32), np.array([bias, 0], np.float32)])
    return model


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        # Hidden: 3·(6, −3)/3 = (6, −3). Input: 6·(1, 2)/3 − 3·(−1, 4)/3.
        (RelevanceRules("epsilon", "epsilon"), (3, 0)),
        # Hidden: (3, 0), since only 6 is above 0. Input: 3·(1, 2)/3.
        (RelevanceRules("epsilon", "z_plus"), (1, 2)),
        # Hidden: 2·3·(1, 0) − 3·(0, 1) = (6, −3). Input: 2·6·(1, 2)/3 − 2·3·(0, 1) + 3·(1, 0).
        (RelevanceRules("epsilon", "alpha_beta", alpha=2), (7, 2)),
        # Hidden: 3·(12, −3)/9 = (4, −1). Input: 4·(2, 4)/6 − (−1, 8)/7.
        (RelevanceRules("epsilon", "gamma", gamma=1), (31 / 21, 32 / 21)),
        # Hidden: (6, −3), each halved.
        (RelevanceRules("epsilon", "epsilon", "flat"), (1.5, 1.5)),
        # Hidden: (6, −3). Input: 6·(1, 1)/2 − 3·(1, 4)/5.
        (RelevanceRules("epsilon", "epsilon", "w_square"), (2.4, 0.6)),
        # Hidden: (6, −3). Input, from 0 to 4: 6·(1, 2)/3 − 3·(−1 + 4, 4)/7.
        (RelevanceRules("epsilon", "epsilon", "z_box"), (5 / 7, 16 / 7)),
    ],
)
def test_two_dense_layers_by_hand(rules: RelevanceRules, expected: tuple[float, float]) -> None:
    found = relevances(two_layers(), X, rules, [0])
    np.testing.assert_allclose(found.logits, [[3, 3]])
    np.testing.assert_allclose(found.relevances.ravel(), expected, rtol=1e-5, atol=1e-5)


def test_a_bias_keeps_its_share() -> None:
    """The logit 6 is 6 − 3 from the hidden layer and 3 from the bias, so 3 of it arrives."""
    found = relevances(two_layers(bias=3), X, RelevanceRules("epsilon", "epsilon"), [0])
    np.testing.assert_allclose(found.relevances.ravel(), [3, 0], atol=1e-5)


def test_epsilon_takes_a_part() -> None:
    """With ε = 1: hidden 3·(6, −3)/4 = (4.5, −2.25), input 4.5·(1, 2)/4 − 2.25·(−1, 4)/4."""
    found = relevances(two_layers(), X, RelevanceRules("epsilon", "epsilon", epsilon=1), [0])
    np.testing.assert_allclose(found.relevances.ravel(), [1.6875, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("last", "until", "expected"),
    [
        # Only the first hidden unit excites the class. It is excited by the inputs as 1 : 2.
        (None, None, (1 / 3, 2 / 3)),
        (None, "hidden", (1, 0)),
        # The second hidden unit speaks against the class, and only the second input excites it.
        ("contrast", None, (1 / 3, 2 / 3 - 1)),
        ("contrast", "hidden", (1, -1)),
    ],
)
def test_excitation_by_hand(last: str | None, until: str | None, expected: tuple[float, float]) -> None:
    """The bias does not count, and the walk starts with 1."""
    rules = RelevanceRules("excitation", "excitation", last=last, until=until, starts_with_one=True)  # type: ignore[arg-type]
    found = relevances(two_layers(bias=3), X, rules, [0])
    np.testing.assert_allclose(found.relevances.ravel(), expected, rtol=1e-5)


def test_a_convolution_by_hand() -> None:
    """The kernel (1, −1) on (2, 1, 3) gives (1, −2), of which the ReLU leaves 1. The class weighs them with 3: the logit is 3."""
    photo = keras.Input((1, 3, 1), name="photo")
    x = layers.Conv2D(1, (1, 2), activation="relu", use_bias=False, name="conv")(photo)
    model = keras.Model(photo, layers.Dense(2, use_bias=False, name="scores")(layers.Flatten(name="flat")(x)))
    model.get_layer("conv").set_weights([np.array([1, -1], np.float32).reshape(1, 2, 1, 1)])
    model.get_layer("scores").set_weights([np.array([[3, 0], [3, 0]], np.float32)])
    x = np.array([2, 1, 3], np.float32).reshape(1, 1, 3, 1)
    for rules, expected in (
        (RelevanceRules("epsilon", "epsilon"), (6, -3, 0)),
        (RelevanceRules("z_plus", "epsilon"), (3, 0, 0)),
        (RelevanceRules("z_plus", "epsilon", "flat"), (1.5, 1.5, 0)),
        # From 0 to 4, the kernel's parts are 1·2 and −1·1 + 1·4 of 5.
        (RelevanceRules("gamma", "epsilon", "z_box"), (1.2, 1.8, 0)),
    ):
        np.testing.assert_allclose(relevances(model, x, rules, [0]).relevances.ravel(), expected, rtol=1e-5, atol=1e-5)


def test_an_einsum_by_hand() -> None:
    """Both rows of the photo are weighted by the kernel of their own: (1, 2)·(3, −1) + 1 = 2 and (2, 4)·(1, 1) + 2 = 8.

    The logit is 2·2 − 8 = −4, so by ε the hidden relevances are 4 and −8, of which the biases keep 4·1/2 and −8·2/8.
    """
    photo = keras.Input((2, 2, 1), name="photo")
    x = layers.EinsumDense("nhwc,hwk->nhk", (2, 1), bias_axes="hk", activation="relu", name="einsum")(photo)
    model = keras.Model(photo, layers.Dense(2, use_bias=False, name="scores")(layers.Flatten(name="flat")(x)))
    kernel = np.array([[3, -1], [1, 1]], np.float32).reshape(2, 2, 1)
    model.get_layer("einsum").set_weights([kernel, np.array([[1], [2]], np.float32)])
    model.get_layer("scores").set_weights([np.array([[2, 0], [-1, 0]], np.float32)])
    x = np.array([[1, 2], [2, 4]], np.float32).reshape(1, 2, 2, 1)
    for rules, expected in (
        (RelevanceRules("epsilon", "epsilon"), [[4 * 3 / 2, -4 * 2 / 2], [-8 * 2 / 8, -8 * 4 / 8]]),
        # Hidden: −4·(4, 0)/4, since only the first unit speaks for the class. Its input: −4·(3, 0)/(3 + 1), and the bias keeps −1.
        (RelevanceRules("epsilon", "z_plus", last="z_plus"), [[-3, 0], [0, 0]]),
    ):
        found = relevances(model, x, rules, [0])
        np.testing.assert_allclose(found.logits, [[-4, 0]])
        np.testing.assert_allclose(found.relevances[0, ..., 0], expected, rtol=1e-5, atol=1e-5)
    assert found.rules == {"z_plus": 2}


LAYERS: dict[str, Callable[[], keras.Layer]] = {
    "Dense": lambda: layers.Dense(4),
    "Conv2D": lambda: layers.Conv2D(4, (3, 2), strides=(2, 1), padding="same"),
    "dilated": lambda: layers.Conv2D(4, 2, dilation_rate=(1, 2)),
    "grouped": lambda: layers.Conv2D(4, 2, groups=2, use_bias=False),
    "DepthwiseConv2D": lambda: layers.DepthwiseConv2D((2, 3), depth_multiplier=2),
    "Conv2DTranspose": lambda: layers.Conv2DTranspose(3, (3, 2), strides=(2, 1)),
    "EinsumDense": lambda: layers.EinsumDense("nhwc,hkc->nwhk", (3, 4, 5), bias_axes="hk"),
    "half": lambda: layers.Conv2D(3, 2, dtype="mixed_float16"),
}


def matrix(apply: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Return a linear map as a matrix (inputs, outputs)."""
    units = np.eye(int(np.prod(shape)), dtype=np.float32).reshape(-1, *shape)
    return np.asarray(apply(units), np.float64).reshape(len(units), -1)


def stabilised(z: np.ndarray, epsilon: float = 1e-6) -> np.ndarray:
    return z + np.where(z < 0, -epsilon, epsilon)


def by_contributions(rule: str, x: np.ndarray, w: np.ndarray, b: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Return the relevance of x (inputs) by the contributions c = x·w (inputs, outputs), with the bias as a further contribution."""
    c, z = x[:, None] * w, x @ w + b
    low, high = -2.0, 3.0
    weights = {
        "epsilon": (c, stabilised(z, EPSILON)),
        "z_plus": (np.maximum(c, 0), stabilised(np.maximum(c, 0).sum(0) + np.maximum(b, 0))),
        "flat": ((w != 0) * 1.0, stabilised((w != 0).sum(0))),
        "w_square": (w**2, stabilised((w**2).sum(0))),
    }
    boxed = c - np.maximum(w, 0) * low - np.minimum(w, 0) * high
    weights["z_box"] = boxed, stabilised(boxed.sum(0))
    sign = np.sign(z)
    strong, strong_bias = c + GAMMA * np.where(c * sign > 0, c, 0), b + GAMMA * np.where(b * sign > 0, b, 0)
    weights["gamma"] = strong, stabilised(strong.sum(0) + strong_bias)
    if rule == "alpha_beta":
        down = np.minimum(c, 0), stabilised(np.minimum(c, 0).sum(0) + np.minimum(b, 0))
        up = weights["z_plus"]
        return (ALPHA * up[0] / up[1] - (ALPHA - 1) * down[0] / down[1]) @ r
    share, total = weights[rule]
    return (share / total) @ r


@pytest.mark.parametrize("rule", ["epsilon", "gamma", "alpha_beta", "z_plus", "flat", "w_square", "z_box"])
@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name == "Conv2D" else pytest.mark.slow) for name in LAYERS])
def test_each_kind_of_layer_shares_by_contributions(name: str, rule: str) -> None:
    """The inputs, the kernel, the bias and the relevance have both signs."""
    rng, layer = np.random.default_rng(4), LAYERS[name]()
    shape = (4, 3, 4)
    x = rng.uniform(-2, 3, (2, *shape)).astype(np.float32)
    layer.build((None, *shape))
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    assert has_weights(layer)
    (part,) = linear_parts(layer)
    kernel = part.kernel()
    w = matrix(lambda units: part.apply(tf.constant(units), kernel).numpy(), shape)
    z = part.output(tf.constant(x)).numpy()
    np.testing.assert_allclose(z, layer(x).numpy(), rtol=2e-2 if name == "half" else 1e-5, atol=2e-2 if name == "half" else 1e-5)
    b = (z.reshape(2, -1) - x.reshape(2, -1) @ w)[0]
    r = rng.normal(size=z.shape).astype(np.float32)
    numbers = RelevanceRules("epsilon", "epsilon", epsilon=EPSILON, gamma=GAMMA, alpha=ALPHA)
    bounds = (tf.fill(x.shape, -2.0), tf.fill(x.shape, 3.0)) if rule == "z_box" else None
    found = Propagation(rule, numbers, bounds).back(part, tf.constant(x), tf.constant(r)).numpy()  # type: ignore[arg-type]
    for one, given, relevance in zip(found, x, r, strict=True):
        expected = by_contributions(rule, given.ravel().astype(np.float64), w, b, relevance.ravel().astype(np.float64))
        np.testing.assert_allclose(one.ravel(), expected, rtol=2e-3, atol=2e-3 * np.abs(expected).max())


def test_a_separable_convolution_is_two_maps() -> None:
    layer = layers.SeparableConv2D(4, (3, 2), strides=2, padding="same", depth_multiplier=2)
    layer.build((None, 5, 4, 3))
    layer.set_weights([np.random.default_rng(1).normal(size=weight.shape) for weight in layer.get_weights()])
    x = np.random.default_rng(2).normal(size=(2, 5, 4, 3)).astype(np.float32)
    depthwise, pointwise = linear_parts(layer)
    np.testing.assert_allclose(pointwise.output(depthwise.output(tf.constant(x))), layer(x), rtol=1e-5, atol=1e-5)


def test_int8_weights_are_those_that_they_stand_for() -> None:
    photo = keras.Input((1, 2, 3), name="photo")
    model = seeded(keras.Model(photo, layers.Dense(8, name="scores")(layers.Flatten()(photo))))
    kernel = np.array(model.get_layer("scores").kernel)
    model.quantize("int8", filters="scores")
    (part,) = linear_parts(model.get_layer("scores"))
    np.testing.assert_allclose(part.kernel(), kernel, atol=np.abs(kernel).max() / 127)


def test_the_int8_weights_of_an_einsum_have_a_scale_for_each_output() -> None:
    layer = layers.EinsumDense("abc,dec->aebd", (5, 2, 3))
    layer.build((None, 2, 4))
    kernel = np.random.default_rng(3).normal(size=(3, 5, 4)) * np.arange(1, 16).reshape(3, 5, 1)
    layer.set_weights([kernel])
    layer.quantize("int8")
    assert has_weights(layer)
    (part,) = linear_parts(layer)
    assert (np.abs(part.kernel() - kernel).max(axis=-1) <= np.abs(kernel).max(axis=-1) / 127).all()


def test_z_box_needs_bounds() -> None:
    layer = layers.Dense(2)
    layer.build((None, 3))
    with pytest.raises(ValueError, match="lowest and the highest"):
        Propagation("z_box", RelevanceRules("epsilon", "epsilon")).back(linear_parts(layer)[0], tf.ones((1, 3)), tf.ones((1, 2)))
