"""`smooth_grad`: the gradient averaged over noisy copies of the photo."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, GradientFacts, MagnitudeParams, check_samples
from schemas.models import ModelDescription, PublishedModel


class SmoothGrad(MagnitudeParams):
    """Saliency with less noise: the mean of ∂y/∂x over copies of the photo with Gaussian noise added."""

    card: ClassVar[MethodCard] = MethodCard(
        name="smooth_grad",
        title="SmoothGrad",
        summary="Saliency averaged over noisy copies of the photo, so that what depends on single pixels cancels out.",
        reference="Smilkov et al., SmoothGrad: removing noise by adding noise, arXiv:1706.03825",
        needs_image=True,
        lane="slow",
        artifacts=GRADIENT_ARTIFACTS,
        facts=GradientFacts,
        example={"class_index": None, "samples": 16},
    )

    samples: int = Field(default=50, ge=1, le=1000, description="Noisy copies.")
    noise: float = Field(default=0.15, gt=0, le=1, description="σ of the noise, a share of the input's range (largest − smallest value).")
    average: Literal["mean", "squares"] = Field(
        default="mean", description="`mean` of the gradients, or of their `squares` (SmoothGrad-Squared: never cancels)."
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="Of the noise.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> SmoothGrad:
        resolved = super().resolve(model, limits)
        check_samples(self.samples, resolved, limits, "/params/samples")
        return resolved

    def tries(self, model: ModelDescription) -> int:
        return self.samples * len(self.target_classes().indices)
