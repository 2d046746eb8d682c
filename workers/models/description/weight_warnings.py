"""Warn about weights that are NaN or infinite, as a training that diverged leaves them."""

from __future__ import annotations

from typing import Any

import numpy as np

from workers.engine.graph import Graph

_MOST_LAYERS = 8  # that a warning names


def weight_warnings(graph: Graph) -> tuple[str, ...]:
    """Return a sentence that names the layers with weights that are NaN or infinite, or nothing if all weights are finite."""
    found: dict[str, list[str]] = {}
    seen: set[int] = set()
    for layer in graph.layers:
        weights = () if layer.is_model else getattr(layer.layer, "weights", ())
        for weight in weights:
            if id(weight) not in seen and (counts := _counts(weight)):
                found.setdefault(layer.path, []).append(f"{weight.name}: {counts}")
            seen.add(id(weight))
    if not found:
        return ()
    named = "; ".join(f"'{path}' ({', '.join(texts)})" for path, texts in list(found.items())[:_MOST_LAYERS])
    more = f"; and {len(found) - _MOST_LAYERS} more layers" if len(found) > _MOST_LAYERS else ""
    return (f"The model has weights that are NaN or infinite, so its results mean little or nothing. The layers are {named}{more}.",)


def _counts(weight: Any) -> str:
    """Return how many values of a weight are NaN and infinite, in words, or "" if all are finite."""
    values = np.asarray(weight.value)
    if values.dtype.kind in "biuSO":
        return ""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.sum(values, dtype=np.float32)):  # one pass without a mask
            return ""
    values = values.astype(np.float64)
    counts = {"NaN": int(np.isnan(values).sum()), "infinite": int(np.isinf(values).sum())}
    words = " and ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{words} of {values.size}" if words else ""
