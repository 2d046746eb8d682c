"""Solve for the missing pixels of an image so that each is the weighted mean of its eight neighbours.

The equations are those of noisy linear imputation (Rong et al., arXiv:2202.00449). They are solved by conjugate gradients, which one cycle
of a multigrid preconditions (Briggs, Henson and McCormick, A Multigrid Tutorial, 2000). The time grows in proportion to the pixels, and
the work can be interrupted after each step, while the sparse factorisation of the authors' code can not.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

# Direct neighbours count twice as much as diagonal ones.
_WEIGHTS = np.array([[1 / 12, 1 / 6, 1 / 12], [1 / 6, 0, 1 / 6], [1 / 12, 1 / 6, 1 / 12]])
_DAMPING, _SWEEPS, _LAST_SWEEPS = 0.8, 2, 20  # of Jacobi's method on each grid, and on the coarsest one
_SMALLEST_SIDE = 8  # pixels; a grid with a shorter side has no coarser one
_MOST_STEPS = 1000

GridValues = Float[np.ndarray, "H W C"]


@dataclass(frozen=True)
class MissingGrid:
    """The equations on one grid.

    Attributes:
        missing: 1 for each missing pixel, else 0.
        totals: the sum of the weights of each pixel's neighbours. Those outside the image do not count.
    """

    missing: Float[np.ndarray, "H W 1"]
    totals: Float[np.ndarray, "H W 1"]

    @classmethod
    def of(cls, missing: Bool[np.ndarray, "H W"], dtype: type[np.floating]) -> MissingGrid:
        """Return the equations of an image."""
        return cls(missing[..., None].astype(dtype), neighbour_sums(np.ones((*missing.shape, 1), dtype)))

    def left_sides(self, values: GridValues) -> GridValues:
        """Return the left-hand sides of the equations, 0 for each known pixel. `values` are 0 there, too."""
        return self.missing * (self.totals * values - neighbour_sums(values))


def neighbour_sums(values: GridValues) -> GridValues:
    """Return the weighted sum of each pixel's neighbours."""
    sums = cv2.filter2D(values, -1, _WEIGHTS.astype(values.dtype), borderType=cv2.BORDER_CONSTANT)
    return sums.reshape(values.shape)


def solve_missing(image: GridValues, missing: Bool[np.ndarray, "H W"], tolerance: float = 3e-7) -> Generator[None, None, GridValues]:
    """Return the image with its missing pixels filled, as float64. Yield after each step of the conjugate gradients.

    Args:
        image: the image. Its missing pixels are not read.
        missing: the pixels to fill. At least one pixel is not missing.
        tolerance: it ends when the Euclidean norm of the residual of each channel is at most this share of that of the right-hand side.
    """
    grid = MissingGrid.of(missing, np.float64)
    coarse_to_fine = _grids(missing)
    known = np.where(missing[..., None], 0.0, image.astype(np.float64))
    right = grid.missing * neighbour_sums(known)
    goal = tolerance * _norms(right)
    found, residual = np.zeros_like(right), right
    direction = change = _cycle(residual, coarse_to_fine)
    product = _products(residual, change)
    for _ in range(_MOST_STEPS):
        if (_norms(residual) <= goal).all():
            break
        step = grid.left_sides(direction)
        length = _ratio(product, _products(direction, step))
        found += length * direction
        before, residual = residual, residual - length * step
        change = _cycle(residual, coarse_to_fine)
        # Polak and Ribière's factor, because the cycle is symmetric only away from the edges of the image
        direction = change + _ratio(_products(residual - before, change), product) * direction
        product = _products(residual, change)
        yield
    return known + found


def _grids(missing: Bool[np.ndarray, "H W"]) -> list[MissingGrid]:
    """Return the equations on the image's own grid and on coarser ones. A coarse pixel is missing if all pixels around it are."""
    grids = [MissingGrid.of(missing, np.float32)]
    while min(missing.shape) >= _SMALLEST_SIDE and missing.any():
        inner = cv2.erode(missing.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
        missing = inner[::2, ::2].astype(bool)
        grids.append(MissingGrid.of(missing, np.float32))
    return grids


def _cycle(residual: GridValues, grids: list[MissingGrid]) -> GridValues:
    """Return an approximate solution for a right-hand side, by one V-cycle in float32."""
    return _v_cycle(residual.astype(np.float32), grids).astype(np.float64)


def _v_cycle(right: GridValues, grids: list[MissingGrid]) -> GridValues:
    grid, coarser = grids[0], grids[1:]
    factor = np.float32(_DAMPING) * grid.missing / grid.totals
    found = factor * right
    for _ in range(_SWEEPS - 1 if coarser else _LAST_SWEEPS):
        found += factor * (right - grid.left_sides(found))
    if not coarser:
        return found
    # The transpose of the interpolation by pyrUp is four times pyrDown.
    height, width = coarser[0].missing.shape[:2]
    reduced = 4 * cv2.pyrDown(right - grid.left_sides(found)).reshape(height, width, -1) * coarser[0].missing
    correction = cv2.pyrUp(_v_cycle(reduced, coarser), dstsize=(right.shape[1], right.shape[0]))
    found += correction.reshape(right.shape) * grid.missing
    for _ in range(_SWEEPS):
        found += factor * (right - grid.left_sides(found))
    return found


def _products(first: GridValues, second: GridValues) -> Float[np.ndarray, " C"]:
    return (first * second).sum(axis=(0, 1))


def _norms(values: GridValues) -> Float[np.ndarray, " C"]:
    return np.sqrt(_products(values, values))


def _ratio(above: Float[np.ndarray, " C"], below: Float[np.ndarray, " C"]) -> Float[np.ndarray, " C"]:
    """Return the ratio, and 0 for a channel that is solved already."""
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)
