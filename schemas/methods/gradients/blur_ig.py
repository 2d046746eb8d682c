"""The parameters of `blur_ig`: gradients on the way from the blurred image to the sharp one."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, ScoreGradientParams, check_samples
from schemas.methods.gradients.path import CompletenessFacts
from schemas.models import ModelDescription, PublishedModel


class BlurIgFacts(CompletenessFacts):
    """The classes, and how well the attributions add up. The baseline is the image under the strongest blur."""

    max_sigma: float = Field(description="This is the σ of the strongest blur, in pixels of the model's input.")


class BlurIg(ScoreGradientParams):
    """The contribution of each pixel to what a class's score gains while the image becomes sharp.

    It is −∫ ∂y/∂x(L(σ)) · ∂L/∂σ dσ, where L(σ) is the image under a Gaussian blur of σ pixels, with σ from 0 to `max_sigma`.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="blur_ig",
        title="Blur integrated gradients",
        summary=(
            "The image becomes sharp step by step, and each pixel gets its share in what the class's score gains. There is no baseline "
            "colour, so dark and bright objects are treated alike. Red speaks for the class, blue against it."
        ),
        reference="Xu, Venugopalan and Sundararajan, Attribution in Scale and Space, CVPR 2020, arXiv:2004.03383",
        formula=(
            "−∫ ∂y/∂x(L(σ)) · ∂L/∂σ dσ from σ = 0 to `max_sigma`, where L(σ) is the image blurred by a Gaussian of σ pixels, summed over "
            "the colour channels"
        ),
        cost="One forward and one backward pass for each step, 100 unless told, and the blurred images.",
        how_to_read=(
            "Red pixels are those whose sharpening raises the class, blue ones lower it. Edges and texture come forward, because a blur "
            "leaves even areas as they are. The values sum to the score of the image minus that of the blurred one."
        ),
        when_it_misleads=(
            "An even area gets nothing, however much its colour matters. If the blurred image still shows the class, little is left to "
            "share out: look at `facts.score_difference`."
        ),
        needs_image=True,
        lane="slow",
        artifacts=GRADIENT_ARTIFACTS,
        facts=BlurIgFacts,
        example={"class_index": None, "steps": 40},
    )

    steps: int = Field(default=100, ge=2, le=1000, description="This is the number of steps from the blurred image to the sharp one.")
    max_sigma: float | None = Field(
        default=None,
        gt=0,
        le=500,
        description=(
            "This is the σ of the strongest blur, in pixels of the model's input. The path begins there. If it is null, it is 50 for an "
            "input of 224 × 224, and changes in proportion to the shorter side."
        ),
    )
    rule: Literal["midpoint", "left"] = Field(
        default="midpoint",
        description=(
            "`midpoint` takes shorter steps where the image is nearly sharp, and the gradient in the middle of each step, so that the "
            "values add up better. `left` is the rule of the authors' code: steps of the same σ, with the gradient at the sharper end."
        ),
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = super().resolve(model, limits)
        check_samples(self.steps, resolved, limits, "/params/steps")
        return resolved

    def tries(self, model: ModelDescription) -> int:
        """Return how many gradients these resolved parameters take, all classes together."""
        return self.steps * len(self.target_classes().indices)
