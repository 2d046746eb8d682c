"""The model's answer: top classes, a chart of them, all logits and probabilities."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from schemas.errors import InternalError, NonFinite
from schemas.methods.base import Prediction
from schemas.methods.predict import Predict, PredictFacts
from schemas.models import PublishedModel
from workers.interface import Array, Inputs, Output, Photo, Picture, Probe
from workers.rendering import charts


@dataclass(frozen=True)
class Scores:
    """One photo's logits and probabilities (classes,), and the model's labels."""

    logits: Float32[np.ndarray, " classes"]
    probabilities: Float32[np.ndarray, " classes"]
    published: PublishedModel


def top_classes(logits: Float32[np.ndarray, " classes"], count: int) -> Int64[np.ndarray, " count"]:
    """The `count` classes of the highest logits, best first; of equals, the lower index first."""
    return np.argsort(-logits, kind="stable")[:count]


def batch_key(params: Predict) -> Hashable:
    """All predictions of one output run as one batch: `top` matters to the drawing alone."""
    return params.output


def run(probe: Probe, inputs: Inputs, params: Sequence[Predict]) -> list[Scores]:
    found = probe.forward(inputs.tensor, scores=True, output=params[0].output)
    if found.logits is None or found.probabilities is None:
        raise InternalError(f"Model '{probe.description.name}' has no class output.")
    return [Scores(logits, probabilities, probe.published) for logits, probabilities in zip(found.logits, found.probabilities, strict=True)]


def draw(result: Scores, photo: Photo, params: Predict) -> Output:
    logits, probabilities = result.logits, result.probabilities
    if not (np.isfinite(logits).all() and np.isfinite(probabilities).all()):
        raise NonFinite(f"{np.count_nonzero(~np.isfinite(logits))} of the model's {len(logits)} logits are not finite.")
    predictions = tuple(
        Prediction(
            class_index=index,
            label=result.published.label_of(index, params.output),
            logit=float(logits[index]),
            probability=float(probabilities[index]),
        )
        for index in top_classes(logits, params.top).tolist()
    )
    bars = [
        charts.Bar(
            scored.label or f"class {scored.class_index}",
            f"{scored.probability:.1%}" if scored.probability >= 0.001 else "< 0.1%",
            scored.probability,
        )
        for scored in predictions
    ]
    return Output(
        artifacts=(
            Picture("chart", charts.bars_beside(photo.image, bars), primary=True),
            Array("logits", logits),
            Array("probabilities", probabilities),
        ),
        facts=PredictFacts(predictions=predictions),
    )
