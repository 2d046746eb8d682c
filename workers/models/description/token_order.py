"""Find out by trial which positions of a map become which tokens in a layer of somebody's own.

The class of such a layer says nothing. So a part of its input is changed, and the token that changes most is the one that comes from it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.models import TokenGrid
from workers.contract.arrays import Float32
from workers.engine.inference import call_for_inference

_TRIED_TOKENS = 16
_MOST_ADDED = 8  # class tokens and the like
_MOST_PIXELS = 2**21  # an input with more values is not tried


def grid_by_trial(layer: Any, height: int, width: int, channels: int, tokens: int) -> TokenGrid | None:
    """Return the grid of the tokens (N, T, K) that a layer makes of a map (N, height, width, channels), or None if they form none.

    The tokens form a grid of rows × columns if a change in one row of cells changes the tokens of this row most, and the same is true
    for the columns. Class tokens may stand before them.
    """
    if height * width * channels > _MOST_PIXELS:
        return None
    x = _noise((1, height, width, channels))
    for before in range(min(_MOST_ADDED, tokens - 1) + 1):
        for rows in range(1, tokens - before + 1):
            columns, rest = divmod(tokens - before, rows)
            if rest == 0 and rows * width == columns * height and rows > 1 and _is_grid(layer, x, rows, columns, before):
                return TokenGrid(height=rows, width=columns, before=before)
    return None


def shift_by_trial(layer: Any, tokens: int, channels: int) -> int | None:
    """Return how many tokens a layer (N, T, C) → (N, T′, K) puts before its own, or None if it changes the order of the tokens."""
    if tokens * channels > _MOST_PIXELS:
        return None
    x = _noise((1, tokens, channels))
    shifts: set[int] = set()
    for token in np.unique(np.linspace(0, tokens - 1, _TRIED_TOKENS, dtype=np.int64)):
        changed = x.copy()
        changed[:, token] = -changed[:, token]
        found = _changes(layer, x, changed)
        if found is None:
            return None
        shifts.add(int(np.argmax(found) - token))
    return shifts.pop() if len(shifts) == 1 else None


def _is_grid(layer: Any, x: Float32, rows: int, columns: int, before: int) -> bool:
    """Return whether the tokens after the first `before` are the cells of x, row by row."""
    for axis, cells in ((1, rows), (2, columns)):
        edges = np.arange(cells + 1) * x.shape[axis] // cells
        responses: list[NDArray[np.float64]] = []
        for start, end in pairwise(edges):
            changed = x.copy()
            band = (slice(None), slice(start, end)) if axis == 1 else (slice(None), slice(None), slice(start, end))
            changed[band] = -changed[band]
            found = _changes(layer, x, changed)
            if found is None:
                return False
            responses.append(found[before:])
        strongest = np.argmax(responses, axis=0).reshape(rows, columns)
        expected = np.arange(rows)[:, None] if axis == 1 else np.arange(columns)[None]
        if not ((strongest == expected).all() and np.max(responses, axis=0).min() > 0):
            return False
    return True


def _changes(layer: Any, x: Float32, changed: Float32) -> NDArray[np.float64] | None:
    """Return by how much each token (T,) differs between the two inputs, or None if the layer cannot be called with them."""
    try:
        first, second = (np.asarray(call_for_inference(layer, [value]), np.float64) for value in (x, changed))
    except Exception:  # a layer of somebody's own may raise anything; its order is then unknown
        return None
    return abs(first - second)[0].sum(axis=-1)


def _noise(shape: tuple[int, ...]) -> Float32:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)
