"""Activations and weights → maps; maps of several layers → one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.base import Fusing
from workers.rendering import scaling


def weighted(
    activations: Float32[np.ndarray, "n h w k"], weights: Float32[np.ndarray, "n *place k"], *, eigen_smooth: bool = False
) -> Float32[np.ndarray, "n h w"]:
    """relu Σ_k w_k·A_k; unscaled. With `eigen_smooth` relu of the weighted activations' first principal component.

    Args:
        weights: one a channel (n, k), or one a channel and position (n, h, w, k).
    """
    if eigen_smooth:
        spread = weights[:, None, None, :] if weights.ndim == 2 else weights
        return np.maximum(principal(activations * spread), 0)
    subscripts = "nhwk,nk->nhw" if weights.ndim == 2 else "nhwk,nhwk->nhw"
    return np.maximum(np.einsum(subscripts, activations, weights), 0)


def principal(activations: Float32[np.ndarray, "n h w k"]) -> Float32[np.ndarray, "n h w"]:
    """Each example's activations, centred over space as (hw × k), projected on their first right singular vector.

    A singular vector's sign is free: it is chosen so that the projection rises with the mean over channels. Where
    activations do not vary over space it is 0, where they are not finite it is not either.
    """
    return np.stack([_principal(example) for example in activations])


def _principal(activations: Float32[np.ndarray, "h w k"]) -> Float32[np.ndarray, "h w"]:
    height, width, channels = activations.shape
    if not np.isfinite(activations).all():
        return np.full((height, width), np.nan, np.float32)
    positions = activations.reshape(-1, channels).astype(np.float64)
    centred = positions - positions.mean(axis=0)
    # Of the two Gram matrices the smaller one: its eigenvectors give the same projection, many times faster than the SVD.
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


def fused(maps: Sequence[Float32[np.ndarray, "n _ _"]], how: Fusing) -> Float32[np.ndarray, "n h w"]:
    """Maps of several layers → one, at the height and width of the finest, 0–1.

    Each map is scaled to 0–1 and enlarged (bilinear, half-pixel centres); then `mean` of them, or `max` of tanh(2·map)
    (Jiang et al., LayerCAM, TIP 2021, equation 9). A degenerate map counts as zeros.
    """
    height, width = (max(layer.shape[axis] for layer in maps) for axis in (1, 2))
    scaled = np.stack(
        [[cv2.resize(scaling.heat(values), (width, height), interpolation=cv2.INTER_LINEAR) for values in layer] for layer in maps]
    )
    return np.tanh(2 * scaled).max(axis=0) if how == "max" else scaled.mean(axis=0)
