"""Tokens (N, T, K) as the map (N, h, w, K) that they form."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from schemas.models import ModelDescription


def as_map(values: Float32[np.ndarray, "n *place k"], model: ModelDescription, path: str) -> Float32[np.ndarray, "n h w k"]:
    """What the layer at `path` answers, as a map: what has one already is left as it is, class tokens are left out.

    Raises:
        ValueError: the layer's tokens form no map.
    """
    if values.ndim == 4:
        return values
    grid = model.layer_at(path).token_grid
    if grid is None:
        raise ValueError(f"layer '{path}' has no map, its output is {values.shape}")
    tokens = values[:, grid.before : grid.before + grid.height * grid.width]
    return tokens.reshape(len(values), grid.height, grid.width, -1)


def as_answer(
    maps: Float32[np.ndarray, "n h w k"], like: Float32[np.ndarray, "n *place k"], model: ModelDescription, path: str
) -> Float32[np.ndarray, "n *place k"]:
    """The inverse of `as_map`: maps as the layer at `path` would answer them; class tokens are 0.

    Args:
        like: the layer's own answers, whose shape it takes.
    """
    grid = model.layer_at(path).token_grid
    if like.ndim == 4 or grid is None:
        return maps
    answer = np.zeros_like(like)
    answer[:, grid.before : grid.before + grid.height * grid.width] = maps.reshape(len(maps), -1, maps.shape[-1])
    return answer
