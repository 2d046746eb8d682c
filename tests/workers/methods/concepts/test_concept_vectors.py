"""Linear concept vectors, worked by hand and compared with the definition of the fit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

from workers.methods.concepts.concept_vectors import (
    concept_vector,
    directional_derivatives,
    held_out_accuracy,
    separate,
    tcav_scores,
    two_sided_p,
)


def two_groups(one: int, other: int, dimensions: int, apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return examples whose first value differs by `apart`, and which are in the first group."""
    examples = np.random.default_rng(seed).normal(size=(one + other, dimensions)) + 3
    examples[:one, 0] += apart
    return examples, np.arange(one + other) < one


def test_two_examples_by_hand() -> None:
    """For x = 5 and x = 1, z is 1 and −1. The best v for z fulfils 1/(1 + exp(v)) = penalty·v: for v = ln 3 and the penalty 1/(4 ln 3),
    both sides are 1/4. x = z·2 + 3, so the vector for x is v/2, and the boundary lies at x = 3."""
    found = separate(np.outer([5.0, 1], [5.0, 1]), np.array([True, False]), 1 / (4 * math.log(3)))
    assert found.coefficients @ [5, 1] == pytest.approx(math.log(3) / 2)
    assert found.intercept == pytest.approx(-3 * math.log(3) / 2)
    assert found.coefficients.sum() == pytest.approx(0)


@pytest.mark.parametrize(("dimensions", "penalty"), [(3, 0.02), (40, 0.3)])
def test_the_fit_is_the_least_of_its_cost(dimensions: int, penalty: float) -> None:
    """The cost is minimised by SciPy over the vector itself, for more examples than dimensions and for fewer. The groups differ in size."""
    examples, first = two_groups(7, 12, dimensions, 1.5)
    found = separate(examples @ examples.T, first, penalty)
    centre = examples.mean(axis=0)
    z = (examples - centre) / np.sqrt(((examples - centre) ** 2).sum(axis=1).mean())
    signs, weights = np.where(first, 1, -1), np.where(first, 1 / 14, 1 / 24)

    def cost(point: np.ndarray) -> float:
        return weights @ np.logaddexp(0, -signs * (z @ point[:-1] + point[-1])) + penalty / 2 * point[:-1] @ point[:-1]

    best = scipy.optimize.minimize(cost, np.zeros(dimensions + 1), method="BFGS", tol=1e-9).x
    np.testing.assert_allclose(examples @ (examples.T @ found.coefficients) + found.intercept, z @ best[:-1] + best[-1], atol=1e-4)


def test_a_vector_has_length_1_and_points_to_the_concept() -> None:
    """In four examples (±1, c), the groups differ in the first value alone, and so does the vector, whatever the second one is."""
    examples = np.array([[1.0, 4], [1, -4], [-1, 4], [-1, -4], [9, 9]])
    vector = concept_vector(examples @ examples.T, np.array([0, 1]), np.array([2, 3]), 0.05)
    np.testing.assert_allclose(vector.coefficients @ examples[vector.examples], [1, 0], atol=1e-9)
    gradients = np.array([[3.0, 7], [-2, 1], [0, 5]])
    derivatives = directional_derivatives(gradients @ examples.T, vector)
    np.testing.assert_allclose(derivatives, [3, -2, 0], atol=1e-9)
    np.testing.assert_allclose(tcav_scores(np.array([[3.0, -2, 0], [1, 2, 0]])), [1 / 3, 2 / 3])


def test_accuracies_come_from_photos_that_were_not_seen() -> None:
    """Groups that lie far apart are told without an error. Random groups of many dimensions can always be separated, but their
    separation says nothing about other photos: then about one half is right."""
    examples, first = two_groups(6, 9, 20, 30.0)
    assert held_out_accuracy(examples @ examples.T, first, 0.01) == 1
    chance = [held_out_accuracy(x @ x.T, first, 0.01) for x, first in (two_groups(12, 12, 60, 0.0, seed) for seed in range(12))]
    assert np.mean(chance) == pytest.approx(0.5, abs=0.1)


def test_a_dead_layer_gives_no_vector() -> None:
    vector = concept_vector(np.zeros((4, 4)), np.array([0, 1]), np.array([2, 3]), 0.01)
    assert not vector.coefficients.any()
    assert vector.accuracy == 0.5


def test_p_values_are_those_of_the_t_test() -> None:
    """For 1, 2, 3 and 2, 3, 4, t = −1/√(1·2/3) with 4 degrees of freedom."""
    one, other = np.array([1.0, 2, 3]), np.array([2.0, 3, 4])
    assert two_sided_p(one, other) == pytest.approx(0.2878641, abs=1e-6)
    rng = np.random.default_rng(1)
    for count in (3, 10):
        pair = rng.random(10), 0.4 + 0.5 * rng.random(count)
        assert two_sided_p(*pair) == pytest.approx(scipy.stats.ttest_ind(*pair).pvalue)
    # Only one of the samples varies: the means are 1 and 0.5, s² = 0.02/8, t = 0.5/√(s²·2/5) = √250, with 8 degrees of freedom.
    assert two_sided_p(np.ones(5), np.array([0.4, 0.5, 0.5, 0.5, 0.6])) == pytest.approx(2 * scipy.stats.t.sf(250**0.5, 8))
    assert two_sided_p(np.ones(5), np.zeros(5)) is None
    assert two_sided_p(np.ones(1), other) is None
