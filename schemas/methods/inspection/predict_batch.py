"""`predict_batch`: the model's answers to many photos."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts, Prediction
from schemas.methods.inspection.top_classes import TopClassesParams
from schemas.methods.several_images import ImagesParams
from schemas.models import PublishedModel

MOST_DRAWN, MOST_BARS = 256, 10


class ImagePredictions(Facts):
    image: str = Field(description="The image's id.")
    number: int = Field(description="Its place in `images`, from 0.")
    predictions: tuple[Prediction, ...] = Field(description="Its top classes, best first.")


class ClassCount(Facts):
    class_index: int
    label: str | None
    images: int = Field(description="How many images have it as their top class.")


class PredictBatchFacts(Facts):
    images: tuple[ImagePredictions, ...] = Field(description="In the order of `images`.")
    top_classes: tuple[ClassCount, ...] = Field(description="Classes that are the top class of an image, the most frequent first.")


class PredictBatch(TopClassesParams, ImagesParams):
    """Top classes of each of many uploaded photos, with logits and probabilities, on one sheet."""

    card: ClassVar[MethodCard] = MethodCard(
        name="predict_batch",
        title="Predictions of a batch",
        summary=(
            "The top classes of each of up to 256 uploaded images, with label, logit and probability, on one sheet, and how many images "
            "each class is the top class of."
        ),
        reference="The model's own output, of many photos; chart as in `predict`.",
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec(
                "sheet",
                "image",
                f"A tile for each photo: number, thumbnail, bars of its top classes; at most {MOST_DRAWN} photos, {MOST_BARS} bars each.",
                primary=True,
            ),
            ArtifactSpec("logits", "array", "(images, classes) float32, before softmax or sigmoid."),
            ArtifactSpec("probabilities", "array", "(images, classes) float32."),
        ),
        facts=PredictBatchFacts,
        example={"images": [f"img_{digit * 64}" for digit in "abc"], "top": 5},
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> PredictBatch:
        self.check_count(limits)
        return self.changed(top=self.resolve_top(model))
