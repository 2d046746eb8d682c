"""The parameters, facts and artifacts that methods share which cover whole segments of the image: `lime` and `kernel_shap`."""

from __future__ import annotations

from collections.abc import Set
from typing import ClassVar, Literal, Self

from pydantic import Field

from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods.base import ONLY_DRAWN
from schemas.methods.card import ArtifactSpec
from schemas.methods.heat import SIGNED_ALPHA
from schemas.methods.perturbation.agreement import AgreementFacts
from schemas.methods.perturbation.base import PERTURBATION_ARTIFACTS, Baseline, PerturbationParams, check_masks
from schemas.models import ModelDescription, PublishedModel

SEGMENT_ARTIFACTS = (
    *PERTURBATION_ARTIFACTS,
    ArtifactSpec("segments", "array", "This is the number of each position's segment, (H, W) int32 over the model's input."),
    ArtifactSpec("weights", "array", "This is the weight of each segment, (s,) float32, or (n, s) for a list of n classes."),
)


class SegmentFacts(AgreementFacts):
    """The number of segments, beside the classes that are explained."""

    segments: int = Field(description="This is the number of segments that the image was divided into.")


class SegmentParams(PerturbationParams):
    """Parameters of a method that divides the image into segments and shows the model some of them at a time."""

    segmentation: Literal["slic", "grid"] = Field(
        default="slic",
        description=(
            "The segments follow the colours of the image (`slic`: Achanta et al., SLIC superpixels, IEEE TPAMI 2012), or they are the "
            "cells of a `grid`."
        ),
    )
    segments: int = Field(
        default=48,
        ge=2,
        le=256,
        description="The image is divided into about this many segments. More segments are finer and need more samples.",
    )
    compactness: float = Field(
        default=10,
        gt=0,
        le=1000,
        description="A higher number makes the segments of `slic` rounder, and a lower one lets them follow colours more closely.",
    )
    samples: int = Field(
        default=1000,
        ge=4,
        description="The model sees this many images, each with some of the segments covered. The time grows in proportion.",
    )
    baseline: Baseline = Field(
        default="mean", description="This covers the segments: the `mean` colour of the image, `black`, `white`, or the image `blurred`."
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="This is the seed of the random choices. The same seed gives the same map.")
    alpha: float = SIGNED_ALPHA
    borders: bool = Field(
        default=True,
        description="If it is true, the pictures have thin lines between segments of different weights. If it is false, there are none.",
    )

    only_drawn: ClassVar[Set[str]] = ONLY_DRAWN | {"borders"}

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        check_masks(self.samples, limits, "/params/samples", "")
        if self.samples < self.segments:
            raise InvalidParameters(
                f"{self.samples} samples cannot tell {self.segments} segments apart. Give at least as many samples as segments.",
                pointer="/params/samples",
                allowed=f"at least {self.segments}",
                got=str(self.samples),
            )
        return super().resolve(model, limits)

    def tries(self, model: ModelDescription) -> int:
        """Return the number of samples."""
        return self.samples
