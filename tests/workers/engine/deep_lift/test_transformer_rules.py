"""The softmax of DeepLIFT worked by hand, and attention with masks and several heads, of which nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from schemas.errors import UnsuitableLayer
from tests.workers.engine.deep_lift.test_completeness import contributions
from tests.workers.methods.attention.support import NumpyVit, photos, tiny_probe
from tests.zoo import seeded
from workers.engine.deep_lift.transformer_rules import softmax


def multipliers(scores: np.ndarray, others: np.ndarray, output: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of the examples and their baselines, and the multipliers of the scores for one probability."""
    given = tf.constant(np.concatenate([scores, others]), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(given)
        probabilities = softmax(given)
        total = tf.reduce_sum(probabilities[: len(scores), output])
    found = tape.gradient(total, given).numpy()
    assert not found[len(scores) :].any()
    return probabilities.numpy(), found[: len(scores)]


def test_one_score_that_differs_gets_all_of_the_difference() -> None:
    """The probability rises from 1/2 to 2/3 while its score rises by ln 2, and that of the other token falls by the same."""
    scores, others = np.array([[np.log(2), 0]]), np.zeros((1, 2))
    probabilities, found = multipliers(scores, others, 0)
    np.testing.assert_allclose(probabilities, [[2 / 3, 1 / 3], [1 / 2, 1 / 2]], rtol=1e-6)
    assert found[0, 0] == pytest.approx((2 / 3 - 1 / 2) / np.log(2), rel=1e-5)
    assert multipliers(scores, others, 1)[1][0, 0] == pytest.approx((1 / 3 - 1 / 2) / np.log(2), rel=1e-5)


def test_equal_scores_have_the_derivative() -> None:
    scores = np.array([[1.0, 2.0, 0.5]])
    probabilities, found = multipliers(scores, scores, 1)
    own = probabilities[0]
    np.testing.assert_allclose(found[0], own[1] * (np.eye(3)[1] - own), rtol=1e-4)


@pytest.mark.parametrize("size", [1e-4, 1.0, 30.0, 300.0])
def test_the_parts_add_up_for_small_and_for_huge_scores(size: float) -> None:
    rng = np.random.default_rng(2)
    scores, others = (rng.normal(size=(40, 7)) * size for _ in range(2))
    probabilities, found = multipliers(scores, others, 3)
    assert np.isfinite(found).all()
    expected = probabilities[:40, 3] - probabilities[40:, 3]
    given = scores.astype(np.float32) - others.astype(np.float32)
    np.testing.assert_allclose((found * given).sum(axis=1), expected, rtol=1e-3, atol=max(3e-5, 1e-6 * size))


def test_contributions_of_a_vision_transformer_add_up() -> None:
    model, probe = tiny_probe()
    reference, x = NumpyVit(model), photos()
    found = contributions(probe, x, x[::-1] * 0.5, [2, 0, 1])
    for row, class_index in enumerate([2, 0, 1]):
        difference = reference(x[row])[0][class_index] - reference(x[::-1][row] * 0.5)[0][class_index]
        assert found.contributions[row].sum() == pytest.approx(difference, rel=1e-3, abs=1e-4)


def model_with(attend: Callable[[Any], Any], shape: tuple[int, ...] = (6, 4)) -> keras.Model:
    photo = keras.Input((6, 4, 3), name="photo")
    x = layers.Reshape(shape)(layers.Conv2D(4, 2, strides=2)(photo))
    return seeded(keras.Model(photo, layers.Dense(3, name="head")(layers.Flatten()(attend(x)))))


def test_masks_count() -> None:
    mask = np.ones((1, 6, 6), bool)
    mask[:, 1:, 4] = False
    attention = layers.MultiHeadAttention(3, 2, value_dim=5, dropout=0.2)
    model = model_with(lambda x: attention(x, x, attention_mask=ops.convert_to_tensor(mask), use_causal_mask=True))
    x, start = (np.random.default_rng(seed).normal(size=(2, 6, 4, 3)).astype(np.float32) for seed in (0, 1))
    found = contributions(model, x, start, [2, 1])
    logits = model(x).numpy() - model(start).numpy()
    np.testing.assert_allclose(found.logits, model(x), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.contributions.sum(axis=(1, 2, 3)), logits[[0, 1], [2, 1]], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("attend", "shape", "why"),
    [
        (lambda x: layers.MultiHeadAttention(2, 3, use_gate=True, name="odd")(x, x), (6, 4), "a gate is part of it"),
        (lambda x: layers.MultiHeadAttention(2, 3, attention_axes=(1, 2), name="odd")(x, x), (3, 2, 4), "attends over a map"),
    ],
)
def test_other_attention_is_named(attend: Callable[[Any], Any], shape: tuple[int, ...], why: str) -> None:
    x = np.zeros((1, 6, 4, 3), np.float32)
    with pytest.raises(UnsuitableLayer, match=f"Layer 'odd' .*no rule of DeepLIFT: .*{why}"):
        contributions(model_with(attend, shape), x, x, [0])
