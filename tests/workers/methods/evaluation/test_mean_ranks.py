"""Ranks of methods by hand."""

from __future__ import annotations

import numpy as np
import pytest

from workers.methods.evaluation.mean_ranks import as_good, friedman_p, interval, ranks


def test_equal_values_share_their_mean_rank() -> None:
    np.testing.assert_array_equal(ranks([3, 5, 1, 5], higher=True), [3, 1.5, 4, 1.5])
    np.testing.assert_array_equal(ranks([3, 5, 1, 5], higher=False), [2, 3.5, 1, 3.5])
    np.testing.assert_array_equal(ranks([1, 1 + 1e-7, 1.1], higher=True), [2.5, 2.5, 1])


def test_methods_without_a_value_share_the_last_rank() -> None:
    for higher in (True, False):
        np.testing.assert_array_equal(ranks([None, -2, None], higher=higher), [2.5, 1, 2.5])
    np.testing.assert_array_equal(ranks([None, None], higher=True), [1.5, 1.5])


def test_interval() -> None:
    # s = 1 and t(0.975, 2) = 4.302653
    assert interval(np.array([1.0, 2, 3])) == pytest.approx(4.302653 / np.sqrt(3))
    assert interval(np.array([2.0])) is None


def test_a_method_is_as_good_as_the_best_if_chance_explains_the_difference() -> None:
    best = np.array([1.0, 1, 1, 1])
    assert as_good(best, best) is True
    assert as_good(np.array([1.5, 0.5, 2, 1]), best) is True
    assert as_good(np.array([3.0, 3, 2.9, 3]), best) is False
    assert as_good(np.array([3.0]), np.array([1.0])) is None


def test_friedman() -> None:
    """With the same order on each of 4 photos, χ² is n(k − 1) = 8, whose p value with 2 degrees of freedom is exp(−4)."""
    assert friedman_p(np.tile([1.0, 2, 3], (4, 1))) == pytest.approx(np.exp(-4))
    assert friedman_p(np.array([[1.0, 2, 3]])) is None
    assert friedman_p(np.array([[1.0, 2], [1, 2]])) is None
    assert friedman_p(np.full((4, 3), 2.0)) is None
