"""The dependence of a class's score on the cells of an image (Novello, Fel and Vigouroux, NeurIPS 2022, arXiv:2206.06219)."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from jaxtyping import Float32, Float64
from scipy.spatial.distance import pdist
from scipy.stats import qmc

from rendering.photo import Photo
from schemas.methods.perturbation.hsic import Hsic, HsicFacts
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.perturbation import grid_masks
from workers.methods.perturbation.grid_masks import GridResult

# How often the scores are shuffled to see how large a dependence is by chance, and the share of cells that stay below `chance`.
_SHUFFLES, _BELOW_CHANCE = 20, 0.95


def binary_masks(count: int, cells: int, seed: int) -> Float32[np.ndarray, "b g g"]:
    """Return masks of which each cell is visible in half, by Latin hypercube sampling."""
    points = qmc.LatinHypercube(cells**2, rng=seed).random(count)
    return (points >= 0.5).astype(np.float32).reshape(count, cells, cells)


def kernel_width(scores: Float64[np.ndarray, " b"]) -> float:
    """Return the median distance between two scores, or their standard deviation if that is 0. Equal scores have the width 1.

    The median distance is the usual heuristic (Gretton et al., 2005). The authors' code takes the median of the scores themselves, which
    can be 0 or below 0 for logits.
    """
    return float(np.median(pdist(scores[:, None]))) or float(scores.std()) or 1.0


def dependence(masks: Float32[np.ndarray, "b d"], scores: Float64[np.ndarray, " b"], width: float) -> Float64[np.ndarray, " d"]:
    """Return tr(K_i·H·L·H) / b for each cell i.

    The kernel of a cell is K = 1 + ½ − (m − m′)² for masks m and m′ of 0 and 1, and that of the scores is Gaussian. With H·K·H =
    2·c·cᵀ, where c is the cell minus its mean over the masks, the trace is 2·cᵀ·L·c.
    """
    gram = np.exp(-np.square(scores[:, None] - scores) / (2 * width**2))
    centred = masks - masks.mean(axis=0, dtype=np.float64)
    return 2 * (centred * (gram @ centred)).sum(axis=0) / len(masks)


def by_chance(masks: Float32[np.ndarray, "b d"], scores: Float64[np.ndarray, " b"], width: float, seed: int) -> float:
    """Return the dependence that most cells stay below if the scores are shuffled."""
    rng = np.random.default_rng(seed)
    found = [dependence(masks, rng.permutation(scores), width) for _ in range(_SHUFFLES)]
    return float(np.quantile(found, _BELOW_CHANCE))


def run(probe: Probe, inputs: Inputs, params: Hsic) -> Generator[Slice, None, GridResult]:
    """Show the model the image under each mask, and return the dependence of the score on each cell."""
    masks = binary_masks(params.masks, params.cells, params.seed)
    found = yield from grid_masks.masked_scores(probe, inputs, params, masks)
    flat, columns = masks.reshape(len(masks), -1), found.scores.T
    widths = [kernel_width(scores) for scores in columns]

    def cells_of(part: slice) -> Float64[np.ndarray, "n d"]:
        return np.stack([dependence(flat[part], scores[part], width) for scores, width in zip(columns, widths, strict=True)])

    half = len(masks) // 2
    chance = [by_chance(flat, scores, width, params.seed) for scores, width in zip(columns, widths, strict=True)]
    halves = cells_of(slice(half)), cells_of(slice(half, None))
    return grid_masks.laid_out(found, cells_of(slice(None)), halves, params, chance=tuple(chance))


def draw(result: GridResult, photo: Photo, params: Hsic) -> Output:
    """Return the output, with the dependence by chance in the facts."""
    return grid_masks.draw(result, photo, params, HsicFacts)
