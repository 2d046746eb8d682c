"""What all methods ask for and tell that look at the gradient of a class score at the model's input."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from schemas.errors import LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.card import ArtifactSpec
from schemas.methods.colormap import Colormap
from schemas.methods.facts import Facts, Prediction
from schemas.methods.precision import PrecisionParams
from schemas.methods.target_class import TargetClassParams
from schemas.models import PublishedModel

GRADIENT_ARTIFACTS = (
    ArtifactSpec("picture", "image", "The map alone, at the photo's own size; several classes: a tile each, named.", primary=True),
    ArtifactSpec("overlay", "image", "The map on the photo."),
    ArtifactSpec(
        "attribution",
        "array",
        "Unscaled, one value for each value of the model's input: (H, W, C) float32; (n, H, W, C) for a list of n classes.",
    ),
    ArtifactSpec("map", "array", "One value a position, as it is drawn but unscaled: (H, W) float32; (n, H, W) for a list."),
)


class GradientFacts(Facts):
    """The class explained, with its score; `classes` has all of them where several were asked for."""

    class_index: int
    label: str | None
    logit: float
    probability: float
    classes: tuple[Prediction, ...]


class PictureParams(MethodParams):
    """How values at the model's input are drawn."""

    clip: float = Field(
        default=99,
        ge=50,
        le=100,
        description=(
            "Percentile of the map's absolute values (those that are not 0) that is drawn strongest, as is all beyond it; "
            "100: the largest. A few extreme pixels would leave all others dark."
        ),
    )
    alpha: float = Field(default=0.7, ge=0, le=1, description="Weight of the map in the overlay.")


class GradientParams(TargetClassParams, PrecisionParams, PictureParams):
    """Parameters of a method that explains a class's score by gradients."""

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        return self.changed(class_index=self.resolve_classes(model, limits))


class ScoreGradientParams(GradientParams):
    """Parameters of a method that follows the true gradient, of the logit or of the probability."""

    score: Literal["logit", "probability"] = Field(default="logit", description="What is differentiated.")


class MagnitudeParams(ScoreGradientParams):
    """Parameters of a method whose map has no sign."""

    colormap: Colormap = Field(default="inferno", description="Colours of the picture and of the map on the photo.")


def check_samples(samples: int, params: GradientParams, limits: MethodLimits, pointer: str) -> None:
    """Of resolved parameters: raises `LimitExceeded` where a job would take more gradients, all classes together, than one may."""
    classes = len(params.target_classes().indices)
    total = samples * classes
    if total > limits.max_masks:
        raise LimitExceeded(
            f"One job takes at most {limits.max_masks:,} gradients, got {samples:,} for each of {classes} classes.",
            pointer=pointer,
            allowed=f"at most {limits.max_masks}",
            got=str(total),
        )
