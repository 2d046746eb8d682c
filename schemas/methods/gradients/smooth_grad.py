"""The parameters of `smooth_grad`: the gradient averaged over noisy copies of the image."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, GradientFacts, MagnitudeParams, check_samples
from schemas.models import ModelDescription, PublishedModel

Average = Literal["mean", "squares", "variance"]


class SmoothGrad(MagnitudeParams):
    """Saliency with less noise: the mean of ∂y/∂x over copies of the image with Gaussian noise added, or of its square, or its variance."""

    card: ClassVar[MethodCard] = MethodCard(
        name="smooth_grad",
        title="SmoothGrad",
        summary="This is saliency averaged over noisy copies of the image, so that the influence of single pixels cancels out.",
        reference=(
            "Smilkov et al., SmoothGrad: removing noise by adding noise, arXiv:1706.03825; squares: Hooker et al., A Benchmark for "
            "Interpretability Methods in Deep Neural Networks, arXiv:1806.10758; variance (VarGrad): Adebayo et al., Sanity Checks for "
            "Saliency Maps, arXiv:1810.03292"
        ),
        formula=(
            "max over the colour channels of |the mean of ∂y/∂x over copies of the image with Gaussian noise|, or of the mean of "
            "(∂y/∂x)² (`squares`), or of the mean of (∂y/∂x)² minus the square of the mean (`variance`)"
        ),
        cost="One forward and one backward pass for each noisy copy.",
        how_to_read=(
            "Read it as saliency with less grain. What is still bright after averaging holds for images like this one. With "
            "`variance`, a pixel is bright where the noise changes its gradient most."
        ),
        when_it_misleads=(
            "With too much noise it explains a noisy image, and no longer yours. It says nothing about the sign of the influence. "
            "A `variance` of 0 does not mean that a pixel has no influence: its gradient is only the same in all copies."
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
    average: Average = Field(
        default="mean",
        description=(
            "The map is the `mean` of the gradients, the mean of their `squares` (SmoothGrad-Squared), which never cancel out, or their "
            "`variance` (VarGrad), which needs at least 2 samples."
        ),
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="This is the seed of the noise. The same seed gives the same map.")

    @model_validator(mode="after")
    def _samples_vary(self) -> SmoothGrad:
        if self.average == "variance" and self.samples < 2:
            raise ValueError("the variance of one gradient is always 0, so give at least 2 samples")
        return self

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> SmoothGrad:
        resolved = super().resolve(model, limits)
        check_samples(self.samples, resolved, limits, "/params/samples")
        return resolved

    def tries(self, model: ModelDescription) -> int:
        """Return how many gradients these resolved parameters take, all classes together."""
        return self.samples * len(self.target_classes().indices)
