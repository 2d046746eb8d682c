"""Non-negative matrix factorization by coordinate descent, from a start by singular vectors.

Sources: Cichocki and Phan, Fast local algorithms for large scale nonnegative matrix and tensor factorizations, 2009,
doi:10.1587/transfun.E92.A.708; Boutsidis and Gallopoulos, SVD based initialization: A head start for nonnegative matrix factorization,
2008, doi:10.1016/j.patcog.2007.09.010. The steps are those of scikit-learn's `NMF` with its defaults, and so are the results.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workers.methods.concepts.singular_vectors import leading_singular_vectors

_ZERO = 1e-6  # smaller values of the start count as 0, as in scikit-learn


@dataclass(frozen=True)
class Factorization:
    """A ≈ W·H, and the iterations that led there.

    Attributes:
        weights: W (n, parts), at least 0.
        vectors: H (parts, k), at least 0.
        iterations: the number of iterations.
        converged: false if the limit of iterations came first.
    """

    weights: Float[np.ndarray, "n p"]
    vectors: Float[np.ndarray, "p k"]
    iterations: int
    converged: bool


def factorize(
    matrix: Float[np.ndarray, "n k"], parts: int, max_iterations: int = 200, tolerance: float = 1e-4
) -> Generator[int, None, Factorization]:
    """Find W, H ≥ 0 with small ‖A − W·H‖². Yield the number of iterations done, from 0 on, and return the factors.

    Args:
        matrix: A, at least 0 everywhere.
        parts: the number of columns of W, at most min(n, k).
        max_iterations: the most iterations.
        tolerance: the end is reached when the projected gradients of an iteration sum up to at most this share of the first one's.

    Raises:
        ValueError: a value is negative, or there are more parts than rows or columns.
    """
    if matrix.min(initial=0) < 0:
        raise ValueError("a matrix with negative values has no non-negative factors")
    weights, vectors = singular_start(matrix, parts)
    columns, first = np.ascontiguousarray(vectors.T), 0.0
    for iteration in range(1, max_iterations + 1):
        yield iteration - 1
        violation = descend(matrix, weights, columns) + descend(matrix.T, columns, weights)
        first = first or violation
        if violation <= tolerance * first:
            return Factorization(weights, columns.T, iteration, converged=True)
    return Factorization(weights, columns.T, max_iterations, converged=False)


def project(
    matrix: Float[np.ndarray, "n k"], vectors: Float[np.ndarray, "p k"], max_iterations: int = 200, tolerance: float = 1e-4
) -> Float[np.ndarray, "n p"]:
    """Return the W ≥ 0 that is best for the given H, by the same descent from W = 0, as scikit-learn's `transform` does.

    The arguments are those of `factorize`.
    """
    weights, columns = np.zeros((len(matrix), len(vectors)), matrix.dtype), np.ascontiguousarray(vectors.T)
    first = 0.0
    for _ in range(max_iterations):
        violation = descend(matrix, weights, columns)
        first = first or violation
        if violation <= tolerance * first:
            break
    return weights


def descend(matrix: Float[np.ndarray, "n k"], weights: Float[np.ndarray, "n p"], columns: Float[np.ndarray, "k p"]) -> float:
    """Set each column of W in turn to the best value while all others stay, in place. Return the sum of the projected gradients.

    `columns` are the columns of H transposed.
    """
    products, targets = columns.T @ columns, matrix @ columns
    violation = 0.0
    for part in range(weights.shape[1]):
        gradient = weights @ products[:, part] - targets[:, part]
        column = weights[:, part]
        violation += float(np.abs(np.where(column == 0, np.minimum(gradient, 0), gradient)).sum(dtype=np.float64))
        if products[part, part] != 0:
            weights[:, part] = np.maximum(column - gradient / products[part, part], 0)
    return violation


def singular_start(matrix: Float[np.ndarray, "n k"], parts: int) -> tuple[Float[np.ndarray, "n p"], Float[np.ndarray, "p k"]]:
    """Return W and H to start from: of each pair of singular vectors the positive or the negative halves, whichever are longer.

    Zeros become the mean of the matrix (NNDSVDa), because a descent hardly leaves a zero.

    Raises:
        ValueError: there are more parts than rows or columns.
    """
    if parts > min(matrix.shape):
        raise ValueError(f"a matrix of {matrix.shape[0]} × {matrix.shape[1]} has at most {min(matrix.shape)} parts, got {parts}")
    left, values, right = leading_singular_vectors(matrix, parts)
    weights, vectors = np.zeros((matrix.shape[0], parts), matrix.dtype), np.zeros((parts, matrix.shape[1]), matrix.dtype)
    for part, value in enumerate(values):
        one, other = left[:, part], right[part]
        halves = [(np.maximum(sign * one, 0), np.maximum(sign * other, 0)) for sign in (1, -1)]
        if part == 0:  # both leading vectors have one sign, apart from rounding
            halves = [(np.abs(one), np.abs(other))]
        products = [float(np.linalg.norm(a) * np.linalg.norm(b)) for a, b in halves]
        chosen = len(products) - 1 - int(np.argmax(products[::-1]))
        (a, b), product = halves[chosen], products[chosen]
        if product > 0:
            scale = np.sqrt(value * product)
            weights[:, part], vectors[part] = scale * a / np.linalg.norm(a), scale * b / np.linalg.norm(b)
    mean = matrix.mean()
    weights[weights < _ZERO], vectors[vectors < _ZERO] = mean, mean
    return weights, vectors
