"""The arithmetic of class activation maps: activations and weights become maps, and maps of several layers become one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from rendering import scaling
from schemas.methods.cam.base import Fusing
from workers.contract.map_place import MapPlace
from workers.methods.map_places import regridded


def weighted(
    activations: Float32[np.ndarray, "n h w k"], weights: Float32[np.ndarray, "n *place k"], *, eigen_smooth: bool = False
) -> Float32[np.ndarray, "n h w"]:
    """Return the unscaled maps relu(Σ_k w_k·A_k).

    Args:
        activations: the activations A.
        weights: one weight a channel (n, k), or one a channel and position (n, h, w, k).
        eigen_smooth: take the first principal component of the weighted activations in place of their sum.
    """
    if eigen_smooth:
        spread = weights[:, None, None, :] if weights.ndim == 2 else weights
        return np.maximum(principal(activations * spread), 0)
    subscripts = "nhwk,nk->nhw" if weights.ndim == 2 else "nhwk,nhwk->nhw"
    return np.maximum(np.einsum(subscripts, activations, weights), 0)


def principal(activations: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n h w"]:
    """Return the first principal component of each example's activations over space, as an unscaled map with both signs.

    The activations (h·w × k) are centred over space and projected on their first right singular vector. The sign of a singular
    vector is free: it is chosen so that the map rises with the mean over the channels. A map is 0 if the activations do not vary
    over space, and NaN if they are not finite.
    """
    return np.stack([_principal(example) for example in activations])


def _principal(activations: Float32[np.ndarray, "h w k"]) -> Float32[np.ndarray, "h w"]:
    height, width, channels = activations.shape
    if not np.isfinite(activations).all():
        return np.full((height, width), np.nan, np.float32)
    positions = activations.reshape(-1, channels).astype(np.float64)
    centred = positions - positions.mean(axis=0)
    # The eigenvectors of the smaller of the two Gram matrices give the same projection as the SVD, many times faster.
    if channels <= height * width:
        projection = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
    else:
        values, vectors = np.linalg.eigh(centred @ centred.T)
        projection = np.sqrt(max(values[-1], 0)) * vectors[:, -1]
    if not centred.any():
        projection = np.zeros_like(projection)
    if projection @ centred.sum(axis=1) < 0:
        projection = -projection
    return projection.reshape(height, width).astype(np.float32)


def fused(maps: Sequence[Float32[np.ndarray, "n _ _"]], how: Fusing, places: Sequence[MapPlace]) -> Float32[np.ndarray, "n h w"]:
    """Return one map for each of n classes, fused from the maps of several layers, at the size of the finest layer, 0-1.

    Each map is scaled to 0-1 and enlarged (bilinear, half-pixel centres). A degenerate map counts as zeros.

    Args:
        maps: the maps of each layer.
        how: `mean`, `max` for the largest tanh(2·map) (Jiang et al., LayerCAM, TIP 2021, equation 9), or `product` (Domeniconi et al.,
            RefineCAM, arXiv:2605.14641).
        places: where each layer's map lies over the input. The result lies where the finest layer's map lies.
    """
    height, width = (max(layer.shape[axis] for layer in maps) for axis in (1, 2))
    onto = places[finest(maps)]
    scaled = np.stack(
        [
            [regridded(scaling.heat(values), place, onto, (height, width)) for values in layer]
            for layer, place in zip(maps, places, strict=True)
        ]
    )
    if how == "max":
        return np.tanh(2 * scaled).max(axis=0)
    return scaled.prod(axis=0) if how == "product" else scaled.mean(axis=0)


def finest(maps: Sequence[Float32[np.ndarray, "n _ _"]]) -> int:
    """Return the number of the layer whose map has the most positions, the first of several."""
    return int(np.argmax([layer.shape[1] * layer.shape[2] for layer in maps]))
