"""The parameters of `gradient_shap`: gradients at random points between random baselines and the image."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, ScoreGradientParams, check_samples
from schemas.methods.gradients.path import CompletenessFacts, PathBaseline
from schemas.models import ModelDescription, PublishedModel


class GradientShapFacts(CompletenessFacts):
    """The classes, and how well the attributions add up to the difference from the mean score of the baselines."""

    score_difference: tuple[float, ...] = Field(
        description="This is each class's score for the image, without noise, minus the mean of its scores for the baselines."
    )
    baseline_scores: tuple[float, ...] = Field(description="This is the mean of each class's scores for the baselines of all samples.")


class GradientShap(ScoreGradientParams):
    """The expected contribution of each pixel to the difference between a class's scores for the image and for random baselines.

    It is the mean of (x − b)·∂y/∂x at random points between a random baseline b and a noisy copy of the image x.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="gradient_shap",
        title="Gradient SHAP",
        summary=(
            "This shows each pixel's share in the difference between the class's score for the image and its mean score for many random "
            "baselines, so that no single baseline decides the picture. Red speaks for the class, blue against it."
        ),
        reference=(
            "Lundberg and Lee, A Unified Approach to Interpreting Model Predictions, NIPS 2017, arXiv:1705.07874; as expected gradients: "
            "Erion et al., Improving performance of deep learning models with axiomatic attribution priors and expected gradients, "
            "arXiv:1906.10670; formula as in Captum's GradientShap"
        ),
        formula=(
            "the mean over samples of (x + ε − b) · ∂y/∂x at b + α · (x + ε − b), with a random baseline b, a random α from 0 to 1 and "
            "Gaussian noise ε, summed over the colour channels"
        ),
        cost="One forward and one backward pass for each sample, 100 unless told, and one forward pass for each baseline.",
        how_to_read=(
            "Read it as integrated gradients that are averaged over baselines. Red pixels raise the class compared with them, blue pixels "
            "lower it, and all together they sum nearly to `facts.score_difference`."
        ),
        when_it_misleads=(
            "The values are a random sample: another seed moves single pixels, and `facts.completeness_error` says how far the sum is off. "
            "Noise smooths the picture, but then the values explain noisy copies, and add up less well."
        ),
        needs_image=True,
        lane="slow",
        artifacts=GRADIENT_ARTIFACTS,
        facts=GradientShapFacts,
        example={"class_index": None, "samples": 40},
    )

    samples: int = Field(default=100, ge=1, le=1000, description="This is the number of random points at which gradients are taken.")
    baselines: tuple[PathBaseline, ...] = Field(
        default=("random",),
        min_length=1,
        max_length=8,
        description=(
            "Each sample begins at one of these baselines, in turn: `black`, `white`, the `mean` colour of the image, the image `blurred`, "
            "or `random` pixels, which are new ones in each sample. Gradients near an image of one colour are large, so with `black`, "
            "`white` or `mean` the sum needs about 300 samples for each."
        ),
    )
    noise: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description=(
            "This is the σ of the noise that each sample adds to the image, as a share of the input's range (largest minus smallest "
            "value), 0-1."
        ),
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="This is the seed of all random choices. The same seed gives the same map.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = super().resolve(model, limits)
        check_samples(self.samples, resolved, limits, "/params/samples")
        return resolved

    def tries(self, model: ModelDescription) -> int:
        """Return how many gradients these resolved parameters take, all classes together."""
        return self.samples * len(self.target_classes().indices)
