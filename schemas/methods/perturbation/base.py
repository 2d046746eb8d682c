"""The parameters, facts and artifacts that methods share which cover parts of the image and watch the class scores."""

from __future__ import annotations

from typing import Literal, Protocol, Self, runtime_checkable

from pydantic import Field

from schemas.errors import LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.annotate import AnnotateParams
from schemas.methods.card import ArtifactSpec
from schemas.methods.frames import ANIMATION, AnimatedFacts
from schemas.methods.image_input import ExplainedInputParams
from schemas.methods.precision import PrecisionParams
from schemas.methods.target_class import TargetClassParams
from schemas.models import ModelDescription, PublishedModel

Score = Literal["logit", "probability"]
Baseline = Literal["mean", "black", "white", "blurred"]

PERTURBATION_ARTIFACTS = (
    ArtifactSpec(
        "overlay", "image", "This is the map on the image, at the image's own size. Several classes are tiles with captions.", primary=True
    ),
    ArtifactSpec(
        "heatmap", "image", "This is the map alone, at the image's own size. It is grey where the model did not look (`fit` crop)."
    ),
    ArtifactSpec("map", "array", "This is the unscaled map (H, W) float32 over the model's input, or (n, H, W) for a list of n classes."),
)
FRAMES_PERTURBATION_ARTIFACTS = (*PERTURBATION_ARTIFACTS, ANIMATION)
"""The artifacts of a perturbation method that can explain each frame of an animation."""


@runtime_checkable
class CountsTries(Protocol):
    """Parameters of a method that asks the model many times."""

    def tries(self, model: ModelDescription) -> int:
        """Return how often these resolved parameters ask the model at most."""
        ...


class PerturbationFacts(AnimatedFacts):
    """The classes that are explained, with their scores for the whole image. Without a list, `classes` has one entry."""

    score: Score = Field(description="This score of the class was watched.")
    masks: int = Field(description="This is the number of covered images that the model was shown.")


class PerturbationParams(TargetClassParams, PrecisionParams, AnnotateParams, ExplainedInputParams):
    """Parameters of a method that shows the model many covered images. The same images serve all classes."""

    score: Score = Field(default="logit", description="This score of the class is watched: its logit or its probability.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        return self.resolve_target(model, limits)


def check_masks(masks: int, limits: MethodLimits, pointer: str, hint: str) -> None:
    """Raise `LimitExceeded` if a job would show the model more covered images than one job may.

    Args:
        masks: the number of covered images.
        limits: the limits of one job.
        pointer: the parameter that the error names.
        hint: a sentence that ends the error, with a space before it, or nothing.
    """
    if masks > limits.max_masks:
        raise LimitExceeded(
            f"One job shows the model at most {limits.max_masks:,} covered images, got {masks:,}.{hint}",
            pointer=pointer,
            allowed=f"at most {limits.max_masks}",
            got=str(masks),
        )
