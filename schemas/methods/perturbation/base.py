"""What all methods share that cover parts of the photo and watch the class scores."""

from __future__ import annotations

from typing import Literal, Protocol, Self, runtime_checkable

from pydantic import Field

from schemas.errors import LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec
from schemas.methods.facts import Facts, Prediction
from schemas.methods.precision import PrecisionParams
from schemas.methods.target_class import TargetClassParams
from schemas.models import ModelDescription, PublishedModel

Score = Literal["logit", "probability"]
Baseline = Literal["mean", "black", "white", "blurred"]

PERTURBATION_ARTIFACTS = (
    ArtifactSpec("overlay", "image", "Map on the photo, at its own size; several classes: a tile each, named.", primary=True),
    ArtifactSpec("heatmap", "image", "Map alone, at the photo's own size; black where the model did not look (`fit` crop)."),
    ArtifactSpec("map", "array", "Unscaled map (H, W) float32 over the model's input; (n, H, W) for a list of n classes."),
)


@runtime_checkable
class Trying(Protocol):
    """Parameters of a method that asks the model many times."""

    def tries(self, model: ModelDescription) -> int:
        """Of resolved parameters: how often, at most."""
        ...


class PerturbationFacts(Facts):
    """The class explained, with its score for the whole photo; `classes` has all of them where several were asked for."""

    class_index: int
    label: str | None
    logit: float
    probability: float
    classes: tuple[Prediction, ...]
    score: Score = Field(description="What was watched.")
    masks: int = Field(description="Covered photos that the model was shown.")


class PerturbationParams(TargetClassParams, PrecisionParams):
    """Parameters of a method that shows the model many covered photos. All classes asked for are read from the same ones."""

    score: Score = Field(default="logit", description="What is watched: the class's logit, or its probability.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        return self.changed(class_index=self.resolve_classes(model, limits))


def check_masks(masks: int, limits: MethodLimits, pointer: str, hint: str) -> None:
    """Raises `LimitExceeded` where a job asks for more `masks` than one may."""
    if masks > limits.max_masks:
        raise LimitExceeded(
            f"One job shows the model at most {limits.max_masks:,} covered photos, got {masks:,}.{hint}",
            pointer=pointer,
            allowed=f"at most {limits.max_masks}",
            got=str(masks),
        )
