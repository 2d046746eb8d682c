"""The parameters of `integrated_gradients`: gradients along the line from a baseline to the image."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, ScoreGradientParams, check_samples
from schemas.methods.gradients.path import CompletenessFacts, PathBaseline
from schemas.models import ModelDescription, PublishedModel

FIRST_STEPS = 50
"""Without `steps`, so many gradients are taken first, then twice as many, and so on."""

COMPLETENESS_TOLERANCE = 0.02
"""Without `steps`, the attributions of every class come at least so near to the score's difference, as a share of it."""


class IntegratedGradientsFacts(CompletenessFacts):
    """The classes, how well the attributions of each add up, and the number of steps that were needed."""

    steps: int = Field(description="This is the number of gradients along the line of which the attributions are made.")


class IntegratedGradients(ScoreGradientParams):
    """The contribution of each pixel to the difference between a class's scores for the image x and for a baseline x′.

    It is (x − x′)·∫ ∂y/∂x(x′ + α·(x − x′)) dα, with α from 0 to 1. The map is its sum over the channels.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="integrated_gradients",
        title="Integrated gradients",
        summary=(
            "This shows each pixel's share in the difference between the class's score for the image and for a blank baseline. The shares "
            "sum to this difference. Red speaks for the class, blue against it."
        ),
        reference="Sundararajan et al., Axiomatic Attribution for Deep Networks, arXiv:1703.01365",
        formula="(x − b) · the mean of ∂y/∂x on the straight line from the baseline b to the image x, summed over the colour channels",
        cost="One forward and one backward pass for each step on the line, 50 to 750 of them.",
        how_to_read=(
            "Red pixels raise the class compared with the baseline, blue pixels lower it, and all together they sum to the difference of "
            "the two scores. `facts.completeness_error` says how exactly."
        ),
        when_it_misleads=(
            "Everything is relative to the baseline: with a black baseline, dark objects get little. Try a second baseline (`blurred`, "
            "`mean`) before you trust a blank place."
        ),
        needs_image=True,
        lane="slow",
        artifacts=GRADIENT_ARTIFACTS,
        facts=IntegratedGradientsFacts,
        example={"class_index": None, "max_steps": 100},
    )

    steps: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description=(
            "This is the number of gradients that are taken along the line. If it is null, 50 are taken, and twice as many again until "
            "the completeness error of every class is at most 2 %."
        ),
    )
    max_steps: int = Field(
        default=400, ge=1, le=1000, description="If `steps` is null, at most this many gradients are taken along the line."
    )
    baseline: PathBaseline = Field(
        default="black",
        description=(
            "The line begins at this baseline: `black`, `white`, the `mean` colour of the image, the image `blurred`, or `random` pixels."
        ),
    )
    rule: Literal["gauss_legendre", "trapezoid"] = Field(
        default="gauss_legendre", description="This rule says where on the line the gradients are taken, and which weights they have."
    )
    seed: int = Field(
        default=0, ge=0, lt=2**31, description="This is the seed of the random baseline. The same seed gives the same baseline."
    )

    @model_validator(mode="after")
    def _both_ends(self) -> IntegratedGradients:
        if self.rule == "trapezoid" and min(self.rounds()) < 2:
            raise ValueError("the trapezoid rule takes a gradient at both ends of the line, so give at least 2 steps")
        return self

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> IntegratedGradients:
        resolved = super().resolve(model, limits)
        check_samples(self.rounds()[0], resolved, limits, "/params/steps" if self.steps else "/params/max_steps")
        if self.steps is None:
            lines = len(resolved.target_classes().indices) * resolved.frame_count
            fitting = [most for most in self.rounds() if resolved.changed(max_steps=most).gradients() * lines <= limits.max_masks]
            resolved = resolved.changed(max_steps=max(fitting))
        return resolved

    def rounds(self) -> tuple[int, ...]:
        """Return the numbers of steps that are tried, one after another, until the attributions add up."""
        if self.steps is not None:
            return (self.steps,)
        rounds = [min(FIRST_STEPS, self.max_steps)]
        while rounds[-1] < self.max_steps:
            rounds.append(min(2 * rounds[-1], self.max_steps))
        return tuple(rounds)

    def gradients(self) -> int:
        """Return the largest number of gradients that are taken for one class and one frame."""
        return sum(self.rounds())

    def tries(self, model: ModelDescription) -> int:
        """Return how many gradients these resolved parameters take at most, all classes together."""
        return self.gradients() * len(self.target_classes().indices)
