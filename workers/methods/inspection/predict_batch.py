"""Return the model's top classes for many photos, a sheet of them, and how often each class is the top class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from rendering.charts.class_bars import PhotoWithBars, photo_sheet
from rendering.photo import Photo
from rendering.titles import titled
from schemas.errors import InternalError
from schemas.methods.facts import Prediction
from schemas.methods.inspection.predict_batch import MOST_BARS, MOST_DRAWN, ClassCount, ImagePredictions, PredictBatch, PredictBatchFacts
from schemas.models import PublishedModel
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.inspection.photo_batches import forward_in_batches, name_image
from workers.methods.inspection.top_classes import bars, top_predictions

LETTERS = 14  # pixels, the height of the letters of the title


@dataclass(frozen=True)
class BatchScores:
    """The logits and probabilities of n photos, and the model with its labels."""

    photos: tuple[Photo, ...]
    logits: Float32[np.ndarray, "n classes"]
    probabilities: Float32[np.ndarray, "n classes"]
    published: PublishedModel


def run(probe: Probe, inputs: Inputs, params: PredictBatch) -> Generator[Slice, None, BatchScores]:
    """Run the model on all photos, in slices of one batch.

    Raises:
        InternalError: The model has no class output.
        NonFinite: The scores of a photo are not finite. The error names the photo by its number.
    """
    logits, probabilities = [], []
    for each in forward_in_batches(probe, inputs.several, scores=True, output=params.output):
        if each.found.logits is None or each.found.probabilities is None:
            raise InternalError(f"Model '{probe.description.name}' has no class output.")
        logits.append(each.found.logits)
        probabilities.append(each.found.probabilities)
        yield Slice(each.first + len(each.images), len(inputs.several))
    photos = tuple(each.photo for each in inputs.several)
    return BatchScores(photos, np.concatenate(logits), np.concatenate(probabilities), probe.published)


def draw(result: BatchScores, photo: Photo | None, params: PredictBatch) -> Output:
    """Draw a sheet with a tile for each photo, and count the top classes.

    Raises:
        NonFinite: The scores of a photo are not finite. The error names the photo by its number.
    """
    del photo
    found: list[tuple[Prediction, ...]] = []
    for number, scores in enumerate(zip(result.logits, result.probabilities, strict=True)):
        with name_image(number):
            found.append(top_predictions(result.published, *scores, params.top, params.output))
    drawn = [
        PhotoWithBars(_caption(params, number), one.image, bars(predictions[:MOST_BARS]))
        for number, (one, predictions) in enumerate(zip(result.photos[:MOST_DRAWN], found, strict=False))
    ]
    counted = counts([predictions[0] for predictions in found])
    sheet = photo_sheet(_title(counted), drawn)
    shown = titled(sheet, f"{PredictBatch.card.title} · {result.published.description.name}", size=LETTERS) if params.annotate else sheet
    return Output(
        artifacts=(
            Picture("sheet", shown, primary=True),
            Array("logits", result.logits),
            Array("probabilities", result.probabilities),
        ),
        facts=PredictBatchFacts(
            images=tuple(
                ImagePredictions(image=image, number=number, predictions=predictions)
                for number, (image, predictions) in enumerate(zip(params.images, found, strict=True))
            ),
            top_classes=counted,
        ),
        warnings=(f"The sheet shows the first {MOST_DRAWN} of {len(found)} images.",) if len(found) > MOST_DRAWN else (),
    )


def _caption(params: PredictBatch, number: int) -> str:
    """Return the number of a photo and, in an annotated sheet, its name."""
    name = params.name_of(number) if params.annotate else None
    return f"#{number}" if name is None else f"#{number} · {name}"


def counts(best: Sequence[Prediction]) -> tuple[ClassCount, ...]:
    """Return how many images have each top class, the most frequent first. Of equal counts, the lower index is first."""
    labels = {scored.class_index: scored.label for scored in best}
    images = Counter(scored.class_index for scored in best)
    return tuple(ClassCount(class_index=c, label=labels[c], images=images[c]) for c in sorted(images, key=lambda c: (-images[c], c)))


def _title(counted: Sequence[ClassCount]) -> str:
    total = sum(each.images for each in counted)
    words = ", ".join(f"{each.images} × {each.label or f'class {each.class_index}'}" for each in counted)
    return f"{total} image{'s' if total > 1 else ''}: {words}"
