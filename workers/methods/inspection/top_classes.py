"""Find the model's top classes, as facts and as bars of a chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Int64

from rendering.charts.class_bars import ClassBar
from schemas.errors import NonFinite
from schemas.methods.facts import Prediction
from schemas.models import PublishedModel
from workers.methods import class_scores


def top_classes(logits: Float32[np.ndarray, " classes"], count: int) -> Int64[np.ndarray, " count"]:
    """Return the `count` classes with the highest logits, the best first. Of equal logits, the lower index is first."""
    return np.argsort(-logits, kind="stable")[:count]


def top_predictions(
    model: PublishedModel,
    logits: Float32[np.ndarray, " classes"],
    probabilities: Float32[np.ndarray, " classes"],
    count: int,
    output: str | None,
) -> tuple[Prediction, ...]:
    """Return the top classes with their scores.

    Raises:
        NonFinite: Some scores are not finite.
    """
    if not (np.isfinite(logits).all() and np.isfinite(probabilities).all()):
        raise NonFinite(f"{np.count_nonzero(~np.isfinite(logits))} of the model's {len(logits)} logits are not finite.")
    classes = top_classes(logits, count)
    every = (len(classes), len(logits))
    return tuple(class_scores.predictions(model, classes, np.broadcast_to(logits, every), np.broadcast_to(probabilities, every), output))


def bars(predictions: Sequence[Prediction]) -> list[ClassBar]:
    """Return a bar for each class, whose length is the probability."""
    return [
        ClassBar(
            scored.label or f"class {scored.class_index}",
            f"{scored.probability:.1%}" if scored.probability >= 0.001 else "< 0.1%",
            scored.probability,
        )
        for scored in predictions
    ]
