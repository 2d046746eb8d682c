"""KPCA-CAM (Karmani et al., arXiv:2410.00267)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float32, Float64
from scipy.sparse.linalg import eigsh

from schemas.methods.cam.kpca_cam import Kernel, KpcaCam
from schemas.methods.cam.recipro_cam import blocks
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import activation_cam
from workers.methods.cam.cam_result import CamResult

draw = activation_cam.draw

_DENSE = 256  # the solver for whole matrices is the faster one up to this number of positions
_NO_VARIATION = 1e-12  # an eigenvalue below this share of the matrix is rounding


def kernel_matrix(vectors: Float64[np.ndarray, "p k"], kernel: Kernel, gamma: float) -> Float64[np.ndarray, "p p"]:
    """Return k(a_i, a_j) of all pairs of vectors, with the kernels of scikit-learn (coef0 = 1, degree 3)."""
    if kernel == "cosine":
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
        return vectors @ vectors.T
    products = vectors @ vectors.T
    if kernel == "rbf":
        squares = np.diag(products)
        return np.exp(-gamma * np.maximum(squares[:, None] + squares - 2 * products, 0))
    return np.tanh(gamma * products + 1) if kernel == "sigmoid" else (gamma * products + 1) ** 3


def first_component(matrix: Float64[np.ndarray, "p p"]) -> Float64[np.ndarray, " p"]:
    """Return the first kernel principal component of p vectors (Schölkopf et al. 1998, doi:10.1162/089976698300017467).

    The kernel matrix is centred in the space of the kernel. The component is the eigenvector of its largest eigenvalue, times the root
    of the eigenvalue, and 0 if no eigenvalue is above 0. Its sign is free.
    """
    means = matrix.mean(axis=0)
    centred = matrix - means - means[:, None] + means.mean()
    scale = np.abs(centred).max()
    if scale <= _NO_VARIATION * np.abs(matrix).max():
        return np.zeros(len(matrix))
    if len(matrix) <= _DENSE:
        values, vectors = np.linalg.eigh(centred)
    else:
        start = np.random.default_rng(0).uniform(-1, 1, len(matrix))  # always the same, so that the component is
        values, vectors = eigsh(centred, k=1, which="LA", v0=start)
    return np.sqrt(max(values[-1], 0)) * vectors[:, -1] if values[-1] > _NO_VARIATION * scale else np.zeros(len(matrix))


def kernel_component(
    activations: Float32[np.ndarray, "n h w k"], kernel: Kernel, gamma: float | None, max_positions: int
) -> Float32[np.ndarray, "n h w"]:
    """Return the first kernel principal component of each example's activations over space, as an unscaled map with both signs.

    The activations are centred over space first, as the authors' code does. The sign is chosen so that the map rises with the mean over
    the channels. A map is 0 if the activations do not vary over space, and NaN if they are not finite.

    Args:
        activations: the activations A.
        kernel: the name of the kernel.
        gamma: the γ of the kernel. None stands for 1 / k.
        max_positions: if there are more positions, square blocks of them are averaged.
    """
    return np.stack([_component_of(example, kernel, gamma, max_positions) for example in activations])


def block_means(activations: Float32[np.ndarray, "h w k"], side: int) -> Float64[np.ndarray, "rows columns k"]:
    """Return the means of square blocks of positions. Blocks at the lower and the right border may be smaller."""
    height, width, _ = activations.shape
    rows, columns = np.arange(0, height, side), np.arange(0, width, side)
    sums = np.add.reduceat(np.add.reduceat(activations, rows, axis=0, dtype=np.float64), columns, axis=1)
    down, across = (np.diff([*starts, size]) for starts, size in ((rows, height), (columns, width)))
    return sums / (down[:, None, None] * across[:, None])


def _component_of(
    activations: Float32[np.ndarray, "h w k"], kernel: Kernel, gamma: float | None, max_positions: int
) -> Float32[np.ndarray, "h w"]:
    height, width, channels = activations.shape
    if not np.isfinite(activations).all():
        return np.full((height, width), np.nan, np.float32)
    side, rows, columns = blocks(height, width, max_positions)
    positions = block_means(activations, side).reshape(-1, channels)
    centred = positions - positions.mean(axis=0)
    found = first_component(kernel_matrix(centred, kernel, gamma or 1 / channels)) if centred.any() else np.zeros(len(centred))
    if found @ centred.sum(axis=1) < 0:
        found = -found
    values = found.reshape(rows, columns).astype(np.float32)
    return values.repeat(side, axis=0).repeat(side, axis=1)[:height, :width]


def batch_key(params: KpcaCam) -> Hashable:
    """Return the batch key of a CAM, and the parameters of the kernel."""
    return activation_cam.batch_key(params), params.kernel, params.gamma, params.max_positions


def formula_of(params: KpcaCam) -> activation_cam.ActivationFormula:
    """Return the formula with these parameters."""
    return lambda activations: kernel_component(activations, params.kernel, params.gamma, params.max_positions)


def run(probe: Probe, inputs: Inputs, params: Sequence[KpcaCam]) -> list[CamResult]:
    """Return one result for each job."""
    return activation_cam.explain(probe, inputs, params, formula_of(params[0]))
