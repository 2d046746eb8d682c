"""The leading singular vectors of a matrix of activations, which has many rows or many columns."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from jaxtyping import Float

_NO_RANK = 1e-6  # a singular value below this share of the largest one cannot be told from rounding


def leading_singular_vectors(
    matrix: Float[np.ndarray, "n k"], count: int
) -> tuple[Float[np.ndarray, "n p"], Float[np.ndarray, " p"], Float[np.ndarray, "p k"]]:
    """Return the left vectors, the values and the right vectors, the largest value first. Values that are only rounding are 0.

    They come from the eigenvectors of the smaller one of A·Aᵀ and Aᵀ·A, because A may have a hundred times as many rows as columns.
    """
    if matrix.shape[0] < matrix.shape[1]:
        right, values, left = leading_singular_vectors(matrix.T, count)
        return left.T, values, right.T
    size = matrix.shape[1]
    squares, vectors = scipy.linalg.eigh((matrix.T @ matrix).astype(np.float64), subset_by_index=(size - count, size - 1))
    values = np.sqrt(np.maximum(squares[::-1], 0))
    values[values <= _NO_RANK * values[0]] = 0
    right = vectors[:, ::-1].T
    left = (matrix @ right.T) / np.where(values > 0, values, np.inf)
    return left, values, right
