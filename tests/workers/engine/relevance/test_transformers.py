"""Relevance through layer norm and attention: gradient · input of a network in which divisors and attention are constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas.errors import NoGradient, UnsuitableLayer
from tests.workers.engine.relevance.support import composite, relevances
from tests.workers.engine.support import probe_of, relative_difference
from tests.workers.methods.attention.support import BLOCKS, HEADS, KEY, photos, tiny_probe, tiny_vit
from tests.zoo import seeded
from workers.contract.relevance import RelevanceRules

EPSILON = RelevanceRules("epsilon", "epsilon", epsilon=1e-9)


def gradient_times_input(model: keras.Model, x: np.ndarray, class_index: int) -> np.ndarray:
    """Return x · ∂logit/∂x of `tiny_vit` with constant divisors, attention and ratios gelu(z)/z (Ali et al., arXiv:2202.07304)."""
    weights = {layer.name: [tf.constant(each) for each in layer.get_weights()] for layer in model.layers}

    def normed(x: tf.Tensor, name: str) -> tf.Tensor:
        gamma, beta = weights[name]
        centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
        return gamma * centred / tf.stop_gradient(tf.sqrt(tf.reduce_mean(centred**2, axis=-1, keepdims=True) + 1e-3)) + beta

    with tf.GradientTape() as tape:
        photo = tf.constant(x)
        tape.watch(photo)
        kernel, bias = weights["patches"]
        tokens = tf.reshape(tf.nn.conv2d(photo, kernel, 2, "VALID") + bias, (len(x), 2, -1))
        tokens = tf.pad(tokens, [[0, 0], [1, 0], [0, 0]])
        for name in BLOCKS:
            wq, bq, wk, bk, wv, bv, wo, bo = weights[f"{name}_attention"]
            own = normed(tokens, f"{name}_norm1")
            q, k, v = (tf.einsum("btc,chd->bhtd", own, w) + b[:, None] for w, b in ((wq, bq), (wk, bk), (wv, bv)))
            attention = tf.stop_gradient(tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / KEY**0.5))
            tokens += tf.einsum("bhtd,hdc->btc", attention @ v, wo) + bo
            (w1, b1), (w2, b2) = weights[f"{name}_hidden"], weights[f"{name}_out"]
            z = normed(tokens, f"{name}_norm2") @ w1 + b1
            tokens += (z * tf.stop_gradient(tf.nn.gelu(z) / z)) @ w2 + b2
        kernel, bias = weights["head"]
        logit = (tokens[:, 0] @ kernel + bias)[:, class_index]
    return (tape.gradient(logit, photo) * photo).numpy()


def test_the_epsilon_rule_is_gradient_times_input_with_constants() -> None:
    model, probe = tiny_probe()
    assert HEADS == 2
    found = relevances(probe, photos(), EPSILON, [1, 1, 1])
    assert relative_difference(found.relevances, gradient_times_input(model, photos(), 1)) < 1e-3
    assert found.rules == {"epsilon": 1 + 2 * len(BLOCKS) + 1}


@pytest.mark.slow
def test_without_biases_all_of_the_score_arrives_by_every_composite() -> None:
    model = tiny_vit()
    for layer in model.layers:
        for variable in layer.weights:
            if any(name in variable.path for name in ("bias", "beta")):
                variable.assign(np.zeros(variable.shape))
    probe = probe_of(model)
    for name in ("epsilon", "epsilon_plus_flat", "epsilon_gamma_box"):
        found = relevances(probe, photos(), composite(name), ends=(-4, 4))
        np.testing.assert_allclose(found.relevances.sum(axis=(1, 2, 3)), found.logits.max(axis=1), rtol=5e-3, err_msg=name)


def two_photos(attend: Callable[[Any, Any], Any]) -> keras.Model:
    """Return a model of two photos, of which the first is explained."""
    inputs = [keras.Input((2, 4, 3), name=name) for name in ("photo", "other")]
    tokens = [layers.Reshape((8, 4))(layers.Conv2D(4, 1)(each)) for each in inputs]
    return seeded(keras.Model(inputs, layers.Dense(3)(layers.Flatten()(attend(*tokens)))))


def test_queries_and_keys_get_nothing() -> None:
    attention = layers.MultiHeadAttention(2, 3, name="attention")
    assert relevances(two_photos(lambda photo, other: attention(other, value=photo)), photos(), EPSILON).relevances.any()
    other = layers.MultiHeadAttention(2, 3, name="attention")
    with pytest.raises(NoGradient, match="only through gates"):
        relevances(two_photos(lambda photo, values: other(photo, values, key=photo)), photos(), EPSILON)


def test_excitation_has_no_rule_for_them() -> None:
    _, probe = tiny_probe()
    rules = RelevanceRules("excitation", "excitation", starts_with_one=True)
    with pytest.raises(UnsuitableLayer, match=r"'block2_norm2' .*do not excite each other"):
        relevances(probe, photos(), rules)
