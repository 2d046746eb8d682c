"""The parameters of `guided_ig`: a path from a baseline to the image that first changes the pixels that matter least."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, ScoreGradientParams, check_samples
from schemas.methods.gradients.path import CompletenessFacts, PathBaseline
from schemas.models import ModelDescription, PublishedModel


class GuidedIgFacts(CompletenessFacts):
    """The classes, and how well the attributions of each add up."""


class GuidedIg(ScoreGradientParams):
    """The contribution of each pixel on a path from a baseline to the image which avoids large gradients.

    Each step moves the values with the smallest gradients, and no value strays far from the straight line.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="guided_ig",
        title="Guided integrated gradients",
        summary=(
            "As integrated gradients, but the path from the baseline to the image first changes the pixels that matter least, so that "
            "fewer noisy gradients are collected on the way. Red speaks for the class, blue against it."
        ),
        reference=(
            "Kapishnikov et al., Guided Integrated Gradients: an Adaptive Path Method for Removing Noise, CVPR 2021, arXiv:2106.09788"
        ),
        formula=(
            "∫ ∂y/∂x(p(t)) · dp/dt dt on a path p from the baseline to the image, on which each step moves the `fraction` of values with "
            "the smallest |∂y/∂x| so far as `max_distance` allows, summed over the colour channels"
        ),
        cost=(
            "One forward and one backward pass for each step and class, 200 steps unless told. Each step depends on the one before, so "
            "they do not share a pass, and it takes about twice as long as integrated gradients with as many steps."
        ),
        how_to_read=(
            "Red pixels raise the class compared with the baseline, blue pixels lower it, and together they sum to the difference of the "
            "two scores. The picture has less grain than that of `integrated_gradients`."
        ),
        when_it_misleads=(
            "As with `integrated_gradients`, everything is relative to the baseline. The path depends on the model and on the class, so "
            "two models with the same answers for all images can get different maps."
        ),
        needs_image=True,
        lane="slow",
        artifacts=GRADIENT_ARTIFACTS,
        facts=GuidedIgFacts,
        example={"class_index": None, "steps": 40},
    )

    steps: int = Field(default=200, ge=1, le=1000, description="This is the number of steps from the baseline to the image.")
    fraction: float = Field(
        default=0.25,
        gt=0,
        le=1,
        description=(
            "This share of the input's values, those with the smallest gradients, is moved at a time. With 1, the path is a straight line."
        ),
    )
    max_distance: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description=(
            "Each value may be this far ahead of the straight line or behind it, as a share of its own way. With 0, the path is the "
            "straight line, and with 1 it is free."
        ),
    )
    rule: Literal["trapezoid", "left"] = Field(
        default="trapezoid",
        description=(
            "A step counts with the mean of the gradients at both of its ends (`trapezoid`), so that the values add up better, or with "
            "the gradient where it begins (`left`), which is the rule of the authors' code."
        ),
    )
    baseline: PathBaseline = Field(
        default="blurred",
        description=(
            "The path begins at this baseline: `black`, `white`, the `mean` colour of the image, the image `blurred`, or `random` pixels. "
            "Gradients near an image of one colour are large, so that the values add up less well with the first three."
        ),
    )
    seed: int = Field(
        default=0, ge=0, lt=2**31, description="This is the seed of the random baseline. The same seed gives the same baseline."
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = super().resolve(model, limits)
        check_samples(self.gradients(), resolved, limits, "/params/steps")
        return resolved

    def tries(self, model: ModelDescription) -> int:
        """Return how many gradients these resolved parameters take, all classes together."""
        return self.gradients() * len(self.target_classes().indices)

    def gradients(self) -> int:
        """Return the number of gradients that are taken for one class."""
        return self.steps + (self.rule == "trapezoid")
