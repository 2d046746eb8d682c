"""A grid over the activations of many positions (Carter et al., Activation Atlas, Distill 2019, doi:10.23915/distill.00015)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from jaxtyping import Float, Float32, Float64, Int32

from workers.methods.concepts.singular_vectors import leading_singular_vectors

EDGE = 1.0  # percent of the activations that lie beyond the grid's edge on each side and are moved to it, as in lucid
RIDGE = 0.1  # share of the channels' mean square that is added to each before the correlations are divided by
_ROUNDING = 1e-10  # a share of the squares that cannot be told from rounding


@dataclass(frozen=True)
class ActivationGrid:
    """The activations on two axes, and the cells that have enough of them.

    Attributes:
        columns: the number of columns and of rows.
        least: the number of activations that a cell needs.
        coordinates: the coordinates of the activations on the two axes.
        explained: the share of the variance that each axis explains.
        cells: row, column and number of activations of each cell that has enough, row by row from the top.
        members: the number of the cell of each activation, or −1 if it is in none.
        too_few: the number of cells that have activations, but too few.
    """

    columns: int
    least: int
    coordinates: Float32[np.ndarray, "n 2"]
    explained: tuple[float, float]
    cells: Int32[np.ndarray, "c 3"]
    members: Int32[np.ndarray, " n"]
    too_few: int


def plane(rows: Float32[np.ndarray, "n k"]) -> tuple[Float32[np.ndarray, "n 2"], tuple[float, float]]:
    """Return the coordinates on the first two principal components, and the share of the variance that each explains.

    The coordinate of a component that is farthest from 0 is positive. A component that does not exist is 0.
    """
    centred = rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    total = float(np.square(centred).sum(dtype=np.float64))
    found, explained = np.zeros((len(rows), 2), np.float32), [0.0, 0.0]
    if total <= _ROUNDING * float(np.square(rows).sum(dtype=np.float64)):
        return found, (0.0, 0.0)
    count = min(2, *centred.shape)
    left, sizes, _ = leading_singular_vectors(centred, count)
    for axis in range(count):
        along = left[:, axis] * sizes[axis]
        found[:, axis] = along if along[np.abs(along).argmax()] >= 0 else -along
        explained[axis] = float(sizes[axis]) ** 2 / total
    return found, (explained[0], explained[1])


def activation_grid(activations: Float32[np.ndarray, "n k"], columns: int, least: int) -> ActivationGrid:
    """Lay a grid of `columns` × `columns` cells over the directions of the activations. Cells with fewer than `least` are left out.

    The axes are those of `plane` for the activations divided by their lengths, because an image shows only a direction; the authors
    compare activations by their cosine for the same reason. The grid reaches from the 1st to the 99th percentile on each axis.
    Activations beyond its edge belong to the cells there.
    """
    coordinates, explained = plane(unit_rows(activations))
    low, high = np.percentile(coordinates, [EDGE, 100 - EDGE], axis=0)
    share = (coordinates - low) / np.where(high > low, high - low, 1)
    column, up = np.clip((share * columns).astype(int), 0, columns - 1).T
    flat = (columns - 1 - up) * columns + column  # the second axis points up
    places, inverse, counts = np.unique(flat, return_inverse=True, return_counts=True)
    kept = counts >= least
    number = np.where(kept, np.cumsum(kept) - 1, -1)
    cells = np.column_stack([places // columns, places % columns, counts])[kept].astype(np.int32)
    return ActivationGrid(columns, least, coordinates, explained, cells, number[inverse].astype(np.int32), int((~kept).sum()))


def cell_means(activations: Float32[np.ndarray, "n k"], grid: ActivationGrid) -> Float32[np.ndarray, "c k"]:
    """Return the mean activation of each cell, which is not divided by its length."""
    means = [activations[grid.members == cell].mean(axis=0, dtype=np.float64) for cell in range(len(grid.cells))]
    return np.stack(means).astype(np.float32)


def nearest_members(
    activations: Float32[np.ndarray, "n k"], grid: ActivationGrid, means: Float32[np.ndarray, "c k"]
) -> Int32[np.ndarray, " c"]:
    """Return the number of the activation in each cell that has the largest cosine with the cell's mean."""
    towards, found = unit_rows(means), np.zeros(len(means), np.int32)
    for cell, direction in enumerate(towards):
        own = np.flatnonzero(grid.members == cell)
        found[cell] = own[(unit_rows(activations[own]) @ direction).argmax()]
    return found


def directions(means: Float32[np.ndarray, "c k"], activations: Float32[np.ndarray, "n k"], *, whiten: bool) -> Float32[np.ndarray, "c k"]:
    """Return the direction of each mean, of length 1, or 0 if the mean is 0.

    With `whiten`, the direction is C⁻¹·mean with C = AᵀA/n + ridge, where A are all activations. lucid takes the inverse without a ridge,
    for a million activations; there may be fewer activations than channels here.
    """
    found: Float64[np.ndarray, "c k"] = means.astype(np.float64)
    if whiten:
        exact = activations.astype(np.float64)
        correlations = exact.T @ exact / len(exact)
        correlations += np.eye(len(correlations)) * (RIDGE * np.trace(correlations) / len(correlations) + 1e-12)
        found = scipy.linalg.solve(correlations, found.T, assume_a="pos").T
    return unit_rows(found)


def unit_rows(rows: Float[np.ndarray, "c k"]) -> Float32[np.ndarray, "c k"]:
    """Return each row divided by its length. A row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
