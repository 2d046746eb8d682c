"""Total Sobol indices of the cells of an image (Fel et al., NeurIPS 2021, arXiv:2111.04138)."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from jaxtyping import Float32, Float64
from scipy.stats import qmc

from rendering.photo import Photo
from schemas.methods.perturbation.sobol import Sobol, SobolFacts
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.perturbation import grid_masks
from workers.methods.perturbation.grid_masks import GridResult


def replicated_design(designs: int, cells: int, seed: int) -> Float32[np.ndarray, "b g g"]:
    """Return the masks A, and then C_i for each cell i, which are A with cell i from B. There are designs · (cells² + 1)."""
    return replicated_points(designs, cells**2, seed).reshape(-1, cells, cells)


def replicated_points(designs: int, count: int, seed: int) -> Float32[np.ndarray, "b count"]:
    """Return points A of 0-1 in `count` dimensions, and then C_i for each dimension i, which are A with dimension i from B.

    A and B are the two halves of the axes of one scrambled Sobol sequence. There are designs · (count + 1) points.
    """
    points = qmc.Sobol(2 * count, rng=seed).random(designs).astype(np.float32)
    first, second = points[:, :count], points[:, count:]
    replicated = np.repeat(first[None], count, axis=0)
    each = np.arange(count)
    replicated[each, :, each] = second.T
    return np.concatenate([first, replicated.reshape(-1, count)])


def total_indices(scores: Float64[np.ndarray, "b n"], designs: int) -> Float64[np.ndarray, "n d"]:
    """Return the total Sobol index of each of d cells for each of n classes, by the estimator of Jansen (1999).

    Args:
        scores: the scores for the masks A, and then for C_1 to C_d.
        designs: the number of masks A.

    The indices are 0 if the score never changes.
    """
    own = scores[:designs]
    replicated = scores[designs:].reshape(-1, designs, scores.shape[1])
    variance = own.var(axis=0, ddof=1)
    squares = np.square(own - replicated).sum(axis=1)
    return (squares / np.where(variance > 0, 2 * designs * variance, np.inf)).T


def half_indices(scores: Float64[np.ndarray, "b n"], designs: int) -> tuple[Float64[np.ndarray, "n d"], Float64[np.ndarray, "n d"]]:
    """Return the total Sobol indices of the first half of the designs alone, and those of the second half. Arguments are as above."""
    by_design = scores.reshape(-1, designs, scores.shape[1])
    first, second = by_design[:, : designs // 2], by_design[:, designs // 2 :]
    found = [total_indices(half.reshape(-1, scores.shape[1]), half.shape[1]) for half in (first, second)]
    return found[0], found[1]


def run(probe: Probe, inputs: Inputs, params: Sobol) -> Generator[Slice, None, GridResult]:
    """Show the model the image under each mask, and return the total Sobol index of each cell."""
    masks = replicated_design(params.designs, params.cells, params.seed)
    found = yield from grid_masks.masked_scores(probe, inputs, params, masks)
    indices = total_indices(found.scores, params.designs)
    indices[found.unchanged] = 0
    variance = found.scores[: params.designs].var(axis=0, ddof=1)
    facts = {"variance": tuple(variance.tolist()), "index_sum": tuple(indices.sum(axis=1).tolist())}
    return grid_masks.laid_out(found, indices, half_indices(found.scores, params.designs), params, **facts)


def draw(result: GridResult, photo: Photo, params: Sobol) -> Output:
    """Return the output, with the variance that was shared out in the facts."""
    return grid_masks.draw(result, photo, params, SobolFacts)
