"""Noisy linear imputation: fill missing pixels so that they cannot be told from their neighbours (Rong et al., arXiv:2202.00449)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

NOISE = 0.01
"""The standard deviation of the noise, as a share of that of the image's values. For an input of unit variance it is that of the paper."""
_NEIGHBOURS = tuple(
    (dy, dx, 1 / 6 if 0 in (dy, dx) else 1 / 12) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)
)  # the step down, the step right, and the weight of each neighbour: direct ones count twice as much as diagonal ones
_OUTSIDE, _KNOWN = -2, -1


def impute(
    image: Float32[np.ndarray, "H W C"], missing: Bool[np.ndarray, "H W"], rng: np.random.Generator, noise: float = NOISE
) -> Float32[np.ndarray, "H W C"]:
    """Return the image with each missing pixel set to the weighted mean of its eight neighbours, plus noise.

    Neighbours may be missing too, so this solves one linear system. Neighbours outside the image do not count.

    Args:
        image: the model's input.
        missing: the pixels to fill. At least one pixel is not missing.
        rng: draws the noise.
        noise: the standard deviation of the noise as a share of the standard deviation of the image's values.

    Raises:
        ValueError: all pixels are missing.
    """
    if missing.all():
        raise ValueError("all pixels are missing, so there is nothing to fill them from")
    filled = image.copy()
    if missing.any():
        matrix, known = _system(image, missing)
        solved = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}).solve(known)
        filled[missing] = solved + noise * image.std(dtype=np.float64) * rng.standard_normal(solved.shape)
    return filled


def _system(image: Float32[np.ndarray, "H W C"], missing: Bool[np.ndarray, "H W"]) -> tuple[csc_matrix, Float64[np.ndarray, "m C"]]:
    """Return the matrix (m, m) and the right-hand side of the equations of the m missing pixels."""
    height, width = missing.shape
    count = int(missing.sum())
    numbers = np.full((height + 2, width + 2), _OUTSIDE, np.int64)
    inner = numbers[1:-1, 1:-1]
    inner[...] = _KNOWN
    inner[missing] = np.arange(count)
    y, x = np.nonzero(missing)
    diagonal, known = np.zeros(count), np.zeros((count, image.shape[2]))
    rows: list[Int64[np.ndarray, " _"]] = [np.arange(count)]
    columns: list[Int64[np.ndarray, " _"]] = [np.arange(count)]
    values: list[Float64[np.ndarray, " _"]] = [diagonal]
    for dy, dx, weight in _NEIGHBOURS:
        neighbour = numbers[y + 1 + dy, x + 1 + dx]
        diagonal[neighbour != _OUTSIDE] += weight
        here = neighbour == _KNOWN
        known[here] += weight * image[y[here] + dy, x[here] + dx]
        unknown = np.flatnonzero(neighbour >= 0)
        rows.append(unknown)
        columns.append(neighbour[unknown])
        values.append(np.full(len(unknown), -weight))
    triples = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return csc_matrix(triples, shape=(count, count)), known
