"""The parameters of `lime`: local interpretable model-agnostic explanations."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.methods.card import MethodCard
from schemas.methods.perturbation.segments import SEGMENT_ARTIFACTS, SegmentFacts, SegmentParams


class LimeFacts(SegmentFacts):
    """Says how well the linear model follows the network near the image."""

    fit: tuple[float, ...] = Field(
        description=(
            "This is the weighted R² of the linear model for each class: 1 if it follows the network exactly, near 0 if the weights say "
            "nothing."
        )
    )


class Lime(SegmentParams):
    """The weights of a linear model that follows the network for images in which some segments are covered."""

    card: ClassVar[MethodCard] = MethodCard(
        name="lime",
        title="LIME",
        summary=(
            "The image is divided into segments, and the model sees it many times with some of them covered. A linear model of the class's "
            "probability gives each segment a weight: red segments raise it, blue ones lower it. The method needs no gradients."
        ),
        reference="Ribeiro et al., Why Should I Trust You?, KDD 2016, arXiv:1602.04938; their package lime, class LimeImageExplainer",
        formula=(
            "argmin_w Σ_z k(z) · (y(z) − w₀ − w · z)² + ridge · |w|², where z says which segments are visible, k(z) = exp(−d² / 2σ²) with "
            "σ = kernel_width, and d is the cosine distance of z from the whole image"
        ),
        cost="One forward pass for each sample, 1,000 unless told, in batches.",
        how_to_read=(
            "A red segment raises the class when it is visible, a blue one lowers it. `facts.fit` says how well the linear model follows "
            "the network: below about 0.5, the weights are not to be trusted."
        ),
        when_it_misleads=(
            "The result depends on how the image is divided and on what covers it: try another seed and another number of segments. "
            "Segments that only matter together share their weight. Nearly uncovered images count most, so it explains this image and not "
            "the class."
        ),
        needs_image=True,
        lane="slow",
        artifacts=SEGMENT_ARTIFACTS,
        facts=LimeFacts,
        example={"class_index": None, "samples": 200, "segments": 24},
        forward_only=True,
    )

    score: Literal["logit", "probability"] = Field(
        default="probability",
        description="The linear model follows this score of the class: the probability as in the paper, or the logit.",
    )
    kernel_width: float = Field(
        default=0.25,
        gt=0,
        le=10,
        description="This is the cosine distance over which samples count: a small number lets only nearly whole images count.",
    )
    ridge: float = Field(
        default=1.0, ge=0, le=1e6, description="This pulls the weights towards 0, as `alpha` of a ridge regression does. 0 turns it off."
    )
