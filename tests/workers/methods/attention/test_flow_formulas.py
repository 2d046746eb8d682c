"""The formulas of rollout, gradient rollout and attention relevance, worked by hand on a class token and two tokens."""

from __future__ import annotations

import numpy as np
import pytest

from workers.methods.attention.attention_maps import entropies
from workers.methods.attention.attention_rollout import rollout_step
from workers.methods.attention.chefer import relevance_step
from workers.methods.attention.flow import with_residual, without_lowest
from workers.methods.attention.gradient_rollout import gradient_rollout_step
from workers.methods.attention.token_queries import TokenMap

HEADS = np.array(
    [
        [[0.6, 0.2, 0.2], [0.0, 1.0, 0.0], [0.5, 0.25, 0.25]],
        [[0.2, 0.6, 0.2], [0.4, 0.2, 0.4], [0.1, 0.15, 0.75]],
    ],
    np.float32,
)
GRADIENTS = np.array(
    [
        [[1, -2, 3], [0, 1, -1], [0, 0, 2]],
        [[0, 1, -1], [1, 0, 1], [-2, 0, 0]],
    ],
    np.float32,
)


def close(found: np.ndarray, expected: list[list[float]]) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_rollout_of_the_mean_is_half_of_the_attention_and_half_of_the_identity() -> None:
    step = rollout_step(HEADS, "mean", 0, class_token=True)
    close(step, [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.15, 0.1, 0.75]])
    close(step @ step, [[0.525, 0.31, 0.165], [0.165, 0.67, 0.165], [0.2275, 0.185, 0.5875]])


def test_rows_of_other_fusions_are_divided_by_their_own_sums() -> None:
    largest = rollout_step(HEADS, "max", 0, class_token=True)
    close(largest, [[1.6 / 2.4, 0.6 / 2.4, 0.2 / 2.4], [0.4 / 2.8, 2 / 2.8, 0.4 / 2.8], [0.5 / 2.5, 0.25 / 2.5, 1.75 / 2.5]])
    smallest = rollout_step(HEADS, "min", 0, class_token=True)
    close(smallest, [[1.2 / 1.6, 0.2 / 1.6, 0.2 / 1.6], [0, 1, 0], [0.1 / 1.5, 0.15 / 1.5, 1.25 / 1.5]])


def test_the_lowest_weights_are_discarded_and_the_class_token_keeps_its_own() -> None:
    weights = np.array([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4], [0.15, 0.6, 0.25]], np.float32)
    close(without_lowest(weights, 0.34), [[0, 0.7, 0], [0.3, 0.3, 0.4], [0, 0.6, 0.25]])  # ⌊9 · 0.34⌋ = 3
    close(without_lowest(weights, 0.34, kept=True), [[0.1, 0.7, 0], [0.3, 0.3, 0.4], [0, 0.6, 0.25]])
    close(without_lowest(weights, 0.11), weights.tolist())
    assert weights[0, 0] == np.float32(0.1), "the weights that are given do not change"
    close(with_residual(without_lowest(weights, 0.34)), [[1 / 1.7, 0.7 / 1.7, 0], [0.15, 0.65, 0.2], [0, 0.6 / 1.85, 1.25 / 1.85]])


def test_gradient_rollout_takes_the_mean_of_heads_before_it_leaves_out_what_lowers_the_score() -> None:
    # mean of gradient · attention: [[.3, .1, .2], [.2, .5, .2], [-.1, 0, .25]], and −0.1 becomes 0
    step = gradient_rollout_step(HEADS, GRADIENTS, 0)
    close(step, [[1.3 / 1.6, 0.1 / 1.6, 0.2 / 1.6], [0.2 / 1.9, 1.5 / 1.9, 0.2 / 1.9], [0, 0, 1]])
    # Of nine weights, the four lowest are discarded: 0, 0, 0.1 and one of those of 0.2.
    assert np.count_nonzero(gradient_rollout_step(HEADS, GRADIENTS, 0.5)) == 3 + 2


def test_relevance_leaves_out_what_lowers_the_score_in_each_head() -> None:
    # positive parts: head 0 [[.6, 0, .6], [0, 1, 0], [0, 0, .5]], head 1 [[0, .6, 0], [.4, 0, .4], [0, 0, 0]]
    step = relevance_step(HEADS, GRADIENTS)
    close(step, [[1.3, 0.3, 0.3], [0.2, 1.5, 0.2], [0, 0, 1.25]])
    relevance = np.eye(3) + (step - np.eye(3)) @ np.eye(3)
    relevance = relevance + (step - np.eye(3)) @ relevance  # R ← R + Ā·R, as the paper writes it
    close(step @ step, relevance.tolist())
    close(step @ step, [[1.75, 0.84, 0.825], [0.56, 2.31, 0.61], [0, 0, 1.5625]])


def test_tokens_of_the_picture_are_told_from_others() -> None:
    tokens = TokenMap(2, 3, before=1)
    values = np.array([[4, 1, 2, 3, 4, 5, 6, 5], [0] * 8], np.float32)
    close(tokens.of(values)[0], [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_allclose(tokens.outside(values), [9 / 30, 0], rtol=1e-6)


def test_entropies_are_in_bits() -> None:
    found = entropies(np.array([[0.25] * 4, [0, 1, 0, 0], [0.5, 0.25, 0.25, 0]], np.float32))
    assert found.tolist() == pytest.approx([2, 0, 1.5])
