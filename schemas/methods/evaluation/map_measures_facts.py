"""The facts of `map_measures`: the values of all measures of one map."""

from __future__ import annotations

from pydantic import Field

from schemas.methods.evaluation.measures import MeasuredValue
from schemas.methods.facts import ExplainedFacts
from schemas.methods.perturbation.base import Score


class MapMeasuresFacts(ExplainedFacts):
    """The values of the measures in the order in which they were asked for."""

    attribution: str = Field(description="This is the name of the method whose map is measured.")
    score: Score = Field(description="This score of the class was watched.")
    measures: tuple[MeasuredValue, ...] = Field(description="These are the measures and their values.")
    forward_passes: int = Field(description="This is the number of images that the model was shown for the map and all measures.")
    gradient_passes: int = Field(description="This is the number of images for which gradients or relevance were computed.")
    region_share: float | None = Field(
        description="This is the share of the model's input that the region covers, 0-1. A random map has this relevance mass and rank on "
        "average. It is null without a region."
    )
