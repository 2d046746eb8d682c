"""The parameters and facts of `predict_batch`: the model's top classes for many photos."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts, Prediction
from schemas.methods.inspection.top_classes import TopClassesParams
from schemas.methods.photo_names import PhotoNamesParams
from schemas.models import PublishedModel

MOST_DRAWN, MOST_BARS = 256, 10  # photos of the sheet, and bars of a photo


class ImagePredictions(Facts):
    image: str = Field(description="This is the id of the image.")
    number: int = Field(description="This is the image's place in `images`, counted from 0.")
    predictions: tuple[Prediction, ...] = Field(description="These are the image's top classes, the best first.")


class ClassCount(Facts):
    class_index: int = Field(description="This is the class index, counted from 0.")
    label: str | None = Field(description="This is the class label. It is null if the model has no labels.")
    images: int = Field(description="This is the number of images whose top class it is.")


class PredictBatchFacts(Facts):
    images: tuple[ImagePredictions, ...] = Field(description="These are the images in the order of `images`.")
    top_classes: tuple[ClassCount, ...] = Field(
        description="These are the classes that are the top class of an image, the most frequent first."
    )


class PredictBatch(TopClassesParams, PhotoNamesParams):
    """The top classes of many uploaded photos, with logits and probabilities, on one sheet."""

    card: ClassVar[MethodCard] = MethodCard(
        name="predict_batch",
        title="Predictions of a batch",
        summary=(
            "This method returns the top classes of up to 256 uploaded images with label, logit and probability, a sheet of them, and the "
            "number of images for each top class."
        ),
        reference="The model's own output for many photos; chart as in `predict`.",
        formula="softmax or sigmoid of the logits, for each photo",
        cost="One forward pass for each photo, in batches.",
        how_to_read="Use the sheet to find the photos on which the model errs or doubts, and look into those.",
        when_it_misleads="As with `predict`, probabilities say how sure the model is, and not how often it is right.",
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec(
                "sheet",
                "image",
                f"This shows a tile for each of up to {MOST_DRAWN} photos: its number, a thumbnail, and bars of up to {MOST_BARS} top "
                f"classes.",
                primary=True,
            ),
            ArtifactSpec("logits", "array", "These are the scores of all classes before softmax or sigmoid, (images, classes) float32."),
            ArtifactSpec(
                "probabilities", "array", "These are the scores of all classes after softmax or sigmoid, (images, classes) float32."
            ),
        ),
        facts=PredictBatchFacts,
        example={"images": [f"img_{digit * 64}" for digit in "abc"], "top": 5},
        forward_only=True,
    )

    annotate: bool = Field(
        default=True,
        description="If it is true, a line with the method and the model stands above the sheet. If it is false, there is no such line.",
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> PredictBatch:
        self.check_count(limits)
        return self.changed(top=self.resolve_top(model))
