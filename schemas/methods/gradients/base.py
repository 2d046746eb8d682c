"""The parameters, facts and artifacts that methods share which take gradients at the model's input."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from schemas.errors import LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.annotate import AnnotateParams
from schemas.methods.card import ArtifactSpec
from schemas.methods.colormap import Colormap
from schemas.methods.frames import ANIMATION, AnimatedFacts, FramesParams
from schemas.methods.image_input import ExplainedInputParams
from schemas.methods.precision import PrecisionParams
from schemas.methods.target_class import TargetClassParams
from schemas.models import PublishedModel

GRADIENT_ARTIFACTS = (
    ArtifactSpec(
        "picture", "image", "This is the map alone, at the image's own size. Several classes are tiles with captions.", primary=True
    ),
    ArtifactSpec("overlay", "image", "This is the map on the image, at the image's own size."),
    ArtifactSpec(
        "attribution",
        "array",
        "This has one unscaled value for each value of the model's input: (H, W, C) float32, or (n, H, W, C) for a list of n classes.",
    ),
    ArtifactSpec("map", "array", "This is the map as it is drawn, but unscaled: (H, W) float32, or (n, H, W) for a list of n classes."),
    ANIMATION,
)


SMOOTH = (
    "The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side. Single pixels of a "
    "gradient mean little, and their neighbourhood means more. 0 draws each value as it is. Arrays and pictures in colour are not blurred."
)


class GradientFacts(AnimatedFacts):
    """The classes that are explained, with their scores. Without a list, `classes` has one entry."""


class PictureParams(AnnotateParams, ExplainedInputParams):
    """Parameters that say how values at the model's input are drawn."""

    clip: float = Field(
        default=99,
        ge=50,
        le=100,
        description=(
            "The colours reach their full strength at this percentile (50-100) of the map's absolute values, where zeros do not count. "
            "Values beyond it are drawn like it. With 100, a few extreme pixels can leave all others dark."
        ),
    )
    smooth: float = Field(default=0.005, ge=0, le=0.2, description=SMOOTH)
    alpha: float = Field(default=0.7, ge=0, le=1, description="This is the weight of the map in the overlay, 0-1.")


class GradientParams(FramesParams, TargetClassParams, PrecisionParams, PictureParams):
    """Parameters of a method that explains a class's score by its gradient at the input."""

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = self.resolve_target(model, limits)
        self.check_frames(resolved, limits)
        return resolved


class ScoreGradientParams(GradientParams):
    """Parameters of a method that follows the true gradient, and lets the caller choose the score."""

    score: Literal["logit", "probability"] = Field(default="logit", description="This score of the class is differentiated.")


class MagnitudeParams(ScoreGradientParams):
    """Parameters of a method whose map has no negative values."""

    smooth: float = Field(default=0.01, ge=0, le=0.2, description=SMOOTH)
    colormap: Colormap = Field(default="inferno", description="The map has the colours of this colormap, alone and on the image.")


def check_samples(samples: int, params: GradientParams, limits: MethodLimits, pointer: str) -> None:
    """Raise `LimitExceeded` if a job with these resolved parameters would take more gradients than one job may.

    Args:
        samples: the number of gradients for each class.
        params: the resolved parameters.
        limits: the limits of one job.
        pointer: the parameter that the error names.
    """
    classes = len(params.target_classes().indices)
    total = samples * classes * params.frame_count
    if total > limits.max_masks:
        raise LimitExceeded(
            f"One job takes at most {limits.max_masks:,} gradients, got {samples:,} for each of {classes} classes"
            + (f" and {params.frame_count} frames." if params.frames else "."),
            pointer=pointer,
            allowed=f"at most {limits.max_masks}",
            got=str(total),
        )
