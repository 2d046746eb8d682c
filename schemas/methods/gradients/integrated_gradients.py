"""`integrated_gradients`: gradients along the way from a baseline to the photo."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, GradientFacts, ScoreGradientParams, check_samples
from schemas.models import ModelDescription, PublishedModel


class IntegratedGradientsFacts(GradientFacts):
    """Of each class, in the order of `classes`, what there is to explain and how much of it the attributions leave unexplained."""

    score_difference: tuple[float, ...] = Field(description="The class's score for the photo less its score for the baseline.")
    attributed: tuple[float, ...] = Field(description="The sum of all attributions; with infinitely many steps `score_difference`.")
    completeness_error: tuple[float, ...] = Field(
        description="|attributed − score_difference| / |score_difference|; without a difference, the numerator alone."
    )


class IntegratedGradients(ScoreGradientParams):
    """What each pixel adds to a class's score on the way from a baseline x′ to the photo x: (x − x′)·∫ ∂y/∂x(x′ + α(x − x′)) dα."""

    card: ClassVar[MethodCard] = MethodCard(
        name="integrated_gradients",
        title="Integrated gradients",
        summary=(
            "Each pixel's share in what lifts the class's score from that of a blank picture to that of the photo; the shares add up: "
            "red speaks for the class, blue against it."
        ),
        reference="Sundararajan et al., Axiomatic Attribution for Deep Networks, arXiv:1703.01365",
        needs_image=True,
        lane="slow",
        artifacts=GRADIENT_ARTIFACTS,
        facts=IntegratedGradientsFacts,
        example={"class_index": None, "steps": 16},
    )

    steps: int = Field(default=50, ge=1, le=1000, description="Gradients along the way.")
    baseline: Literal["black", "white", "mean", "blurred", "random"] = Field(
        default="black", description="Where the way begins: black, white, the photo's mean colour, the photo blurred, or random pixels."
    )
    rule: Literal["gauss_legendre", "trapezoid"] = Field(
        default="gauss_legendre", description="Where the steps are and how they are weighted."
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="Of the random baseline.")

    @model_validator(mode="after")
    def _both_ends(self) -> IntegratedGradients:
        if self.rule == "trapezoid" and self.steps < 2:
            raise ValueError("the trapezoid rule has steps at both ends of the way: give at least 2")
        return self

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> IntegratedGradients:
        resolved = super().resolve(model, limits)
        check_samples(self.steps, resolved, limits, "/params/steps")
        return resolved

    def tries(self, model: ModelDescription) -> int:
        return self.steps * len(self.target_classes().indices)
