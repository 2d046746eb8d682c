"""Without biases, the relevances of the input sum to the logit, however layers are put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from tests.workers.engine.relevance.support import composite, relevances
from tests.workers.engine.support import relative_difference
from tests.zoo import seeded
from workers.contract.relevance import RelevanceRules

SIZE = (13, 9, 3)
WAYS: dict[str, Callable[[Any], Any]] = {}


def way(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
    WAYS[build.__name__] = build
    return build


def conv(channels: int = 6, kernel: int | tuple[int, int] = 3, **more: Any) -> layers.Conv2D:
    return layers.Conv2D(channels, kernel, use_bias=False, **{"activation": "relu", **more})


@way
def pooled(x: Any) -> Any:
    x = layers.MaxPooling2D((2, 1))(conv()(x))
    return layers.GlobalMaxPooling2D()(layers.AveragePooling2D((1, 2), padding="same")(conv(kernel=2)(x)))


@way
def residual(x: Any) -> Any:
    """A tensor is read three times, once in a sum with itself."""
    x = conv(padding="same")(x)
    y = layers.Add()([x, conv(padding="same")(x), x])
    return layers.GlobalAveragePooling2D()(y + x)


@way
def einsums(x: Any) -> Any:
    """Transformers divide channels among heads and join them again in this way."""
    tokens = layers.Reshape((6, 6))(layers.AveragePooling2D(3)(conv()(x)))
    heads = layers.EinsumDense("btc,chd->bthd", (6, 2, 4), activation="relu")(tokens)
    return layers.EinsumDense("...hd,hdc->...c", 5, activation="relu")(heads)


@way
def squeeze_and_excitation(x: Any) -> Any:
    x = conv(padding="same")(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(6, 1, activation="sigmoid")(layers.Conv2D(3, 1, activation="relu")(gate))
    return layers.Multiply()([x, gate])


@way
def hard_gates(x: Any) -> Any:
    """The gates are those of MobileNetV3: a ReLU6 that is shifted and scaled, and an activation of its own."""
    x = layers.Activation("hard_silu")(conv(padding="same", activation=None)(x))
    gate = layers.ReLU(6.0)(layers.GlobalAveragePooling2D(keepdims=True)(x) + 3.0) * (1.0 / 6.0)
    return layers.Multiply()([gate, x])


@way
def transformer(x: Any) -> Any:
    """Tokens with a class token go through layer norm, attention and a dense layer, and a grouped attention reads them with RMS norm."""
    tokens = layers.ZeroPadding1D((1, 0))(
        layers.Reshape((20, 6))(conv(kernel=4, strides=2, padding="same")(layers.Cropping2D((2, 0))(x))[:, :4])
    )
    normed = layers.LayerNormalization(center=False)(tokens)
    tokens = layers.Add()([tokens, layers.MultiHeadAttention(2, 3, use_bias=False)(normed, normed)])
    hidden = layers.Dense(7, activation="gelu", use_bias=False)(layers.LayerNormalization(center=False)(tokens))
    tokens = layers.Add()([tokens, layers.Dense(6, use_bias=False)(hidden)])
    normed = layers.RMSNormalization()(tokens)
    return layers.GroupQueryAttention(3, 4, 2, use_bias=False)(normed, normed, use_causal_mask=True)


@way
def concatenated(x: Any) -> Any:
    parts = [conv(padding="same")(x), conv(padding="same", kernel=1)(x)]
    x = layers.Concatenate()(parts)
    return layers.Maximum()([conv()(x), conv()(x)])


@way
def separable(x: Any) -> Any:
    x = layers.SeparableConv2D(5, (2, 3), use_bias=False, activation="relu")(x)
    return layers.DepthwiseConv2D(2, use_bias=False, depth_multiplier=2, activation="relu6")(x)


@way
def transposed(x: Any) -> Any:
    x = layers.Conv2DTranspose(4, 2, strides=2, use_bias=False, activation="relu")(conv(strides=2)(x))
    return layers.UpSampling2D(2, interpolation="bilinear")(layers.UpSampling2D((2, 1))(x))


@way
def moved(x: Any) -> Any:
    x = layers.Permute((2, 1, 3))(layers.Cropping2D(((1, 0), (0, 2)))(conv()(layers.ZeroPadding2D((2, 1))(x))))
    return layers.Dropout(0.5)(layers.Reshape((-1, 3))(ops.transpose(x, (0, 2, 1, 3))))


@way
def nested(x: Any) -> Any:
    inner = keras.Input(tuple(x.shape[1:]))
    shared = conv(channels=3, padding="same")
    return keras.Model(inner, shared(shared(inner)), name="base")(x)


def model(build: Callable[[Any], Any], *, rescaled: bool = False) -> keras.Model:
    photo = keras.Input(SIZE, name="photo")
    x = layers.Rescaling(1 / 2, name="scale")(photo) if rescaled else photo
    x = layers.Dense(7, activation="relu", use_bias=False, name="hidden")(layers.Flatten(name="flat")(build(x)))
    return seeded(keras.Model(photo, layers.Dense(4, activation="softmax", use_bias=False, name="scores")(x)))


def photos(n: int = 2) -> np.ndarray:
    return np.random.default_rng(3).uniform(0, 4, (n, *SIZE)).astype(np.float32)


QUICK = ("residual", "squeeze_and_excitation", "moved")  # each other way is a slow test
# Layer norm and attention are no sums of their inputs, so their gradient is another one, and excitation does not go through them.
PLAIN = [name for name in WAYS if name != "transformer"]


@pytest.mark.parametrize("rules", ["epsilon_plus_flat", pytest.param("epsilon_gamma_box", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in WAYS])
def test_relevances_sum_to_the_logit(name: str, rules: Any) -> None:
    found = relevances(model(WAYS[name], rescaled=name == "pooled"), photos(), composite(rules), [1, 2])
    logits = found.logits[[0, 1], [1, 2]]
    assert np.abs(logits).min() > 1e-3
    np.testing.assert_allclose(found.relevances.sum(axis=(1, 2, 3)), logits, rtol=2e-3)
    assert np.ptp(found.relevances) > 0


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name == "residual" else pytest.mark.slow) for name in PLAIN])
def test_epsilon_without_gates_is_gradient_times_input(name: str) -> None:
    """This holds for networks of ReLUs and sums with a small ε (Ancona et al., arXiv:1711.06104). A gate counts as a constant."""
    built = model(WAYS[name])
    found = relevances(built, photos(), RelevanceRules("epsilon", "epsilon", epsilon=1e-9), [1, 2])
    total = found.relevances.sum(axis=(1, 2, 3))
    np.testing.assert_allclose(total, found.logits[[0, 1], [1, 2]], rtol=2e-3)
    if name in ("squeeze_and_excitation", "hard_gates", "transposed"):
        return
    x = tf.constant(photos())
    with tf.GradientTape() as tape:
        tape.watch(x)
        logits = keras.Model(built.inputs, built.get_layer("hidden").output)(x) @ built.get_layer("scores").kernel
        explained = logits[0, 1] + logits[1, 2]
    assert relative_difference(found.relevances, tape.gradient(explained, x) * x) < 1e-2


def test_the_forward_pass_is_that_of_the_model() -> None:
    built = model(residual)
    found = relevances(built, photos(), composite("epsilon_alpha2_beta1"))
    np.testing.assert_allclose(found.probabilities, built(photos()), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found.class_indices, found.logits.argmax(axis=1))


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name == "pooled" else pytest.mark.slow) for name in PLAIN])
def test_excitations_sum_to_one(name: str) -> None:
    """If the top class has a score above 0, something excites it, and this goes on down to the photo.

    Between the two steps of a separable convolution there is no ReLU. What only values below 0 could excite ends there.
    """
    found = relevances(model(WAYS[name]), photos(), RelevanceRules("excitation", "excitation", starts_with_one=True))
    excited = found.logits.max(axis=1) > 0
    assert excited.any()
    sums = found.relevances[excited].sum(axis=(1, 2, 3))
    if name == "separable":
        assert ((sums > 0) & (sums <= 1.001)).all()
    else:
        np.testing.assert_allclose(sums, 1, rtol=1e-3)
    assert found.relevances.min() >= 0
