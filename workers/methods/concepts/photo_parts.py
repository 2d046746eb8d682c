"""The parts that photos have in common: the factors of their activations, scaled and sorted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from rendering.photo import Photo
from schemas.methods.facts import Prediction
from workers.methods.concepts.nmf import Factorization


@dataclass(frozen=True)
class Parts:
    """The parts of several photos.

    Attributes:
        photos: the photos as they lie under the maps.
        maps: for each photo the maps of the parts (parts, h, w). The largest value of a part in all photos is 1, or 0 if it is nowhere.
        vectors: the vectors of the parts (parts, k), in units of the activations where the map is 1.
        shares: the share of each part in the sum of all activations that the parts rebuild, the largest first.
        relative_error: ‖A − W·H‖ / ‖A‖ of all photos, and 0 if A is zero everywhere.
        relative_errors: the same for each photo.
        factors: the factors before they were scaled.
        classes: the top classes of each part, or None if the model's classes do not depend on the layer's mean alone.
        model: the name of the model.
    """

    photos: tuple[Photo, ...]
    maps: tuple[Float32[np.ndarray, "p _ _"], ...]
    vectors: Float32[np.ndarray, "p k"]
    shares: tuple[float, ...]
    relative_error: float
    relative_errors: tuple[float, ...]
    factors: Factorization
    classes: tuple[tuple[Prediction, ...], ...] | None
    model: str


def sorted_parts(factors: Factorization) -> tuple[Float[np.ndarray, "n p"], Float[np.ndarray, "p k"], Float[np.ndarray, " p"]]:
    """Return W, H and the share of each part. The largest value of each column of W is 1, and the largest share is first.

    The share of part p is Σ W_p · Σ H_p, divided by the sum over all parts. A part that is nowhere has zeros and no share.
    """
    peaks = factors.weights.max(axis=0)
    weights = factors.weights / np.where(peaks > 0, peaks, 1)
    vectors = factors.vectors * peaks[:, None]
    amounts = weights.sum(axis=0, dtype=np.float64) * vectors.sum(axis=1, dtype=np.float64)
    total = amounts.sum()
    order = np.argsort(-amounts, kind="stable")
    return weights[:, order], vectors[order], (amounts / total if total > 0 else amounts)[order]


def relative_errors(matrix: Float[np.ndarray, "n k"], factors: Factorization, rows: Sequence[slice]) -> tuple[float, tuple[float, ...]]:
    """Return ‖A − W·H‖ / ‖A‖, for all rows together and for each of some groups of rows. It is 0 where A is 0 everywhere."""
    errors = [float(np.square(matrix[each] - factors.weights[each] @ factors.vectors).sum(dtype=np.float64)) for each in rows]
    sizes = [float(np.square(matrix[each]).sum(dtype=np.float64)) for each in rows]
    return _root_share(sum(errors), sum(sizes)), tuple(map(_root_share, errors, sizes))


def _root_share(error: float, size: float) -> float:
    return (error / size) ** 0.5 if size > 0 else 0.0
