"""Tokens (N, T, K) of a vision transformer as the map (N, h, w, K) that they form, and back."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from schemas.models import ModelDescription


def to_map(values: Float32[np.ndarray, "n *place k"], model: ModelDescription, path: str) -> Float32[np.ndarray, "n h w k"]:
    """Return a layer's activations, or their gradients, as a map.

    Tokens become the positions of a map, without class tokens. Values that are a map already are returned as they are.

    Raises:
        ValueError: the tokens of the layer at `path` form no map.
    """
    if values.ndim == 4:
        return values
    grid = model.layer_at(path).token_grid
    if grid is None:
        raise ValueError(f"layer '{path}' has no map; its output has the shape {values.shape}")
    tokens = values[:, grid.before : grid.before + grid.height * grid.width]
    return tokens.reshape(len(values), grid.height, grid.width, -1)


def from_map(
    maps: Float32[np.ndarray, "n h w k"], like: Float32[np.ndarray, "n *place k"], model: ModelDescription, path: str
) -> Float32[np.ndarray, "n *place k"]:
    """Return maps in the shape of the layer's own activations. This is the inverse of `to_map`; class tokens become 0.

    Args:
        maps: the maps.
        like: activations of the layer at `path`. The result has their shape.
    """
    grid = model.layer_at(path).token_grid
    if like.ndim == 4 or grid is None:
        return maps
    tokens = np.zeros_like(like)
    tokens[:, grid.before : grid.before + grid.height * grid.width] = maps.reshape(len(maps), -1, maps.shape[-1])
    return tokens
