"""The parameters and facts of `predict`: the model's top classes for a photo."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts, Prediction
from schemas.methods.image_input import ShownBandsParams
from schemas.methods.inspection.top_classes import TopClassesParams
from schemas.models import PublishedModel


class PredictFacts(Facts):
    predictions: tuple[Prediction, ...] = Field(description="These are the top classes, the best first.")


class Predict(TopClassesParams, ShownBandsParams):
    """The top classes with their logits and probabilities, and a bar chart of them."""

    card: ClassVar[MethodCard] = MethodCard(
        name="predict",
        title="Prediction",
        summary="This method returns the top classes with label, logit and probability, and a bar chart of them.",
        reference="The model's own output; chart as in the Caffe notebook 'Classification: Instant Recognition with Caffe'.",
        formula="softmax or sigmoid of the logits",
        cost="One forward pass.",
        how_to_read=(
            "The bars are the most probable classes. Look at the distance between the first and the second: a small one means that a "
            "small change of the photo may turn the answer."
        ),
        when_it_misleads=(
            "A probability says how sure the model is, and not how often it is right. A model of 1,000 classes must choose one of them, "
            "whatever the photo shows."
        ),
        needs_image=True,
        lane="fast",
        artifacts=(
            ArtifactSpec("chart", "image", "This is a bar chart of the top classes beside the photo.", primary=True),
            ArtifactSpec("logits", "array", "These are the scores of all classes before softmax or sigmoid, (classes,) float32."),
            ArtifactSpec("probabilities", "array", "These are the scores of all classes after softmax or sigmoid, (classes,) float32."),
        ),
        facts=PredictFacts,
        example={"top": 5},
        forward_only=True,
    )

    annotate: bool = Field(
        default=True,
        description="If it is true, a line with the method and the model stands above the chart. If it is false, there is no such line.",
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Predict:
        return self.changed(top=self.resolve_top(model))
