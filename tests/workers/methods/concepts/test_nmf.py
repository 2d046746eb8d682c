"""Non-negative factors of matrices whose factors are known."""

from __future__ import annotations

import numpy as np
import pytest

from workers.methods.concepts.nmf import Factorization, descend, factorize, singular_start


def factors(matrix: np.ndarray, parts: int, max_iterations: int = 500, tolerance: float = 1e-10) -> Factorization:
    work = factorize(matrix, parts, max_iterations, tolerance)
    done = -1
    while True:
        try:
            step = next(work)
        except StopIteration as stop:
            return stop.value
        assert step == done + 1
        done = step


def test_one_part_of_a_positive_matrix_is_its_leading_singular_triplet() -> None:
    """The vectors of A = [[3, 4], [6, 8], [0, 0]] are u = (1, 2, 0)/√5 and v = (3, 4)/5, with the value 5·√5."""
    found = factors(np.array([[3.0, 4], [6, 8], [0, 0]]), 1)
    np.testing.assert_allclose(found.weights @ found.vectors, [[3, 4], [6, 8], [0, 0]], atol=1e-6)
    assert found.vectors[0, 1] / found.vectors[0, 0] == pytest.approx(4 / 3)
    assert found.converged


@pytest.mark.parametrize("flip", [False, True])  # more rows than columns, and fewer
def test_blocks_without_overlap_are_the_parts(flip: bool) -> None:
    left, right = np.zeros((9, 2)), np.zeros((2, 5))
    left[:5, 0], left[5:, 1] = (1, 2, 3, 4, 5), (1, 1, 2, 2)
    right[0, :2], right[1, 2:] = (1, 2), (3, 1, 2)
    matrix = left @ right
    found = factors(matrix.T if flip else matrix, 2)
    rebuilt = found.weights @ found.vectors
    np.testing.assert_allclose(rebuilt.T if flip else rebuilt, matrix, atol=1e-5)
    rows = (found.vectors.T if flip else found.weights) / (found.vectors.T if flip else found.weights).max(axis=0)
    rows = rows[:, np.argsort(-rows[0])]
    np.testing.assert_allclose(rows, left / left.max(axis=0), atol=1e-5)


def test_one_descent_by_hand() -> None:
    """For H = (1, 2) and W = (1, 0), the gradients are W·5 − A·Hᵀ: 5 − 3 = 2 and 0 − 10 = −10, so W becomes 0.6 and 2."""
    weights = np.array([[1.0], [0.0]])
    violation = descend(np.array([[1.0, 1], [2, 4]]), weights, np.array([[1.0], [2]]))
    np.testing.assert_allclose(weights, [[0.6], [2]])
    assert violation == pytest.approx(12)


def test_a_gradient_that_points_below_zero_is_no_violation() -> None:
    weights = np.array([[0.0]])
    assert descend(np.array([[0.0, 0]]), weights, np.array([[1.0], [2]])) == 0
    assert weights == 0


def test_the_start_is_the_longer_half_of_each_pair_of_vectors() -> None:
    """A = [[2, 1], [1, 2]] has the values 3 and 1, with the vectors (1, 1)/√2 and ±(1, −1)/√2. A half of the second pair is one entry
    1/√2 in each vector, so its weight is √(1 · 1/2) and its place is the same in both. Zeros become the mean, 1.5."""
    weights, vectors = singular_start(np.array([[2.0, 1], [1, 2]]), 2)
    np.testing.assert_allclose(weights[:, 0], np.sqrt([1.5, 1.5]))
    np.testing.assert_allclose(sorted(weights[:, 1]), [0.5**0.5, 1.5])
    np.testing.assert_allclose(vectors, weights.T)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_error_falls_to_that_of_the_noise(dtype: type) -> None:
    rng = np.random.default_rng(0)
    matrix = (rng.random((70, 3)) ** 4 @ rng.random((3, 11)) ** 4 + 1e-3 * rng.random((70, 11))).astype(dtype)
    found = factors(matrix, 3)
    assert found.weights.dtype == found.vectors.dtype == dtype
    assert found.weights.min() >= 0 <= found.vectors.min()
    assert np.linalg.norm(matrix - found.weights @ found.vectors) / np.linalg.norm(matrix) < 0.01
    assert not factors(matrix, 3, max_iterations=2).converged


def test_zeros_stay_zeros() -> None:
    found = factors(np.zeros((4, 3), np.float32), 2)
    assert not found.weights.any()
    assert not found.vectors.any()
    assert found.converged


def test_matrices_without_such_factors_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 3 parts, got 4"):
        factors(np.ones((5, 3)), 4)
    with pytest.raises(ValueError, match="negative"):
        factors(-np.ones((5, 3)), 1)
