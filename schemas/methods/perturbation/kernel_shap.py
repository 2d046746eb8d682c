"""The parameters of `kernel_shap`: Shapley values of the image's segments."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.methods.card import MethodCard
from schemas.methods.perturbation.segments import SEGMENT_ARTIFACTS, SegmentFacts, SegmentParams


class KernelShapFacts(SegmentFacts):
    """The scores between which the values divide the difference."""

    base_scores: tuple[float, ...] = Field(description="This is the watched score of each class with all segments covered.")
    whole_scores: tuple[float, ...] = Field(
        description="This is the watched score of each class for the whole image. All values together are it minus the base score."
    )
    exact: bool = Field(description="This is true if all combinations of segments were tried, so that the values have no sampling error.")


class KernelShap(SegmentParams):
    """The Shapley value of each segment: its fair share in the difference between the whole image and the covered one."""

    card: ClassVar[MethodCard] = MethodCard(
        name="kernel_shap",
        title="KernelSHAP",
        summary=(
            "Each segment of the image gets its Shapley value: its fair share in what the whole image adds to the class's score over the "
            "covered one. The values sum to this difference. Red segments raise the score, blue ones lower it. The method needs no "
            "gradients."
        ),
        reference=(
            "Lundberg and Lee, A Unified Approach to Interpreting Model Predictions, NIPS 2017, arXiv:1705.07874; paired samples by Covert "
            "and Lee, Improving KernelSHAP, AISTATS 2021, arXiv:2012.01536"
        ),
        formula=(
            "argmin_φ Σ_z k(z) · (y(z) − y(∅) − φ · z)² with Σ φ = y(all) − y(∅), where z says which of s segments are visible and "
            "k(z) = (s − 1) / (C(s, |z|) · |z| · (s − |z|))"
        ),
        cost="One forward pass for each sample, 1,000 unless told, in batches.",
        how_to_read=(
            "The values are in the units of the score and sum to the difference between the two scores in the facts. So a segment of 2 "
            "adds twice as much as one of 1, and values of two images can be compared."
        ),
        when_it_misleads=(
            "What covers the segments is part of the question: against a black image, dark segments get little. Unless `exact` is true in "
            "the facts, the values have a sampling error: repeat with another seed to see it. Covered images are images that the model "
            "never saw."
        ),
        needs_image=True,
        lane="slow",
        artifacts=SEGMENT_ARTIFACTS,
        facts=KernelShapFacts,
        example={"class_index": None, "samples": 200, "segments": 24},
        forward_only=True,
    )
