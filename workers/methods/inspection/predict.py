"""Return the model's top classes for a photo, a chart of them, and all logits and probabilities."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from rendering.charts.class_bars import bars_beside_photo
from rendering.photo import Photo
from rendering.titles import titled
from schemas.errors import InternalError
from schemas.methods.inspection.predict import Predict, PredictFacts
from schemas.models import PublishedModel
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.inspection.top_classes import bars, top_predictions

LETTERS = 16  # pixels, the height of the letters of the title


@dataclass(frozen=True)
class PhotoScores:
    """One photo's logits and probabilities, and the model with its labels."""

    logits: Float32[np.ndarray, " classes"]
    probabilities: Float32[np.ndarray, " classes"]
    published: PublishedModel


def batch_key(params: Predict) -> Hashable:
    """All jobs for one output run as one batch, because `top` matters only to the drawing."""
    return params.output


def run(probe: Probe, inputs: Inputs, params: Sequence[Predict]) -> list[PhotoScores]:
    """Return the logits and probabilities of each photo of the batch.

    Raises:
        InternalError: The model has no class output.
    """
    found = probe.forward(inputs.tensor, scores=True, output=params[0].output)
    if found.logits is None or found.probabilities is None:
        raise InternalError(f"Model '{probe.description.name}' has no class output.")
    return [
        PhotoScores(logits, probabilities, probe.published) for logits, probabilities in zip(found.logits, found.probabilities, strict=True)
    ]


def draw(result: PhotoScores, photo: Photo, params: Predict) -> Output:
    """Draw the top classes as bars beside the photo.

    Raises:
        NonFinite: Some scores are not finite.
    """
    predictions = top_predictions(result.published, result.logits, result.probabilities, params.top, params.output)
    chart = bars_beside_photo(photo.image, bars(predictions))
    shown = titled(chart, f"{Predict.card.title} · {result.published.description.name}", size=LETTERS) if params.annotate else chart
    return Output(
        artifacts=(
            Picture("chart", shown, primary=True),
            Array("logits", result.logits),
            Array("probabilities", result.probabilities),
        ),
        facts=PredictFacts(predictions=predictions),
    )
