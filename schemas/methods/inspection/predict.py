"""`predict`: the model's answer."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts, Prediction
from schemas.methods.inspection.top_classes import TopClassesParams
from schemas.models import PublishedModel


class PredictFacts(Facts):
    predictions: tuple[Prediction, ...] = Field(description="The top classes, best first.")


class Predict(TopClassesParams):
    """Top classes with logits and probabilities, and a bar chart of them."""

    card: ClassVar[MethodCard] = MethodCard(
        name="predict",
        title="Prediction",
        summary="The top classes with label, logit and probability, and a bar chart of them.",
        reference="The model's own output; chart as in the Caffe notebook 'Classification: Instant Recognition with Caffe'.",
        needs_image=True,
        lane="fast",
        artifacts=(
            ArtifactSpec("chart", "image", "Bar chart of the top classes beside the photo.", primary=True),
            ArtifactSpec("logits", "array", "(classes,) float32, before softmax or sigmoid."),
            ArtifactSpec("probabilities", "array", "(classes,) float32."),
        ),
        facts=PredictFacts,
        example={"top": 5},
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Predict:
        return self.changed(top=self.resolve_top(model))
