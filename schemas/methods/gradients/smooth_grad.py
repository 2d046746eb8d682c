"""The parameters of `smooth_grad`: the gradient averaged over noisy copies of the image."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, GradientFacts, MagnitudeParams, check_samples
from schemas.models import ModelDescription, PublishedModel


class SmoothGrad(MagnitudeParams):
    """Saliency with less noise: the mean of ∂y/∂x over copies of the image with Gaussian noise added."""

    card: ClassVar[MethodCard] = MethodCard(
        name="smooth_grad",
        title="SmoothGrad",
        summary="This is saliency averaged over noisy copies of the image, so that the influence of single pixels cancels out.",
        reference="Smilkov et al., SmoothGrad: removing noise by adding noise, arXiv:1706.03825",
        formula="max over the colour channels of |the mean of ∂y/∂x over copies of the image with Gaussian noise|",
        cost="One forward and one backward pass for each noisy copy.",
        how_to_read="Read it as saliency with less grain. What is still bright after averaging holds for images like this one.",
        when_it_misleads=(
            "With too much noise it explains a noisy image, and no longer yours. It says nothing about the sign of the influence."
        ),
        needs_image=True,
        lane="slow",
        artifacts=GRADIENT_ARTIFACTS,
        facts=GradientFacts,
        example={"class_index": None, "samples": 16},
    )

    samples: int = Field(default=50, ge=1, le=1000, description="This is the number of noisy copies.")
    noise: float = Field(
        default=0.15,
        gt=0,
        le=1,
        description="This is the σ of the noise, as a share of the input's range (largest minus smallest value), above 0 and up to 1.",
    )
    average: Literal["mean", "squares"] = Field(
        default="mean",
        description=(
            "The map is the `mean` of the gradients, or the mean of their `squares` (SmoothGrad-Squared), which never cancel out."
        ),
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="This is the seed of the noise. The same seed gives the same map.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> SmoothGrad:
        resolved = super().resolve(model, limits)
        check_samples(self.samples, resolved, limits, "/params/samples")
        return resolved

    def tries(self, model: ModelDescription) -> int:
        """Return how many gradients these resolved parameters take, all classes together."""
        return self.samples * len(self.target_classes().indices)
