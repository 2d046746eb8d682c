"""The facts of `faithfulness`: the areas under its curves, the drop of the score, and the correlations with randomised weights."""

from __future__ import annotations

from pydantic import Field

from schemas.methods.facts import ExplainedFacts, Facts
from schemas.methods.perturbation.base import Score


class Randomised(Facts):
    """The result of the attribution method for the model with some randomised weights."""

    layers: int = Field(description="This is the number of layers whose weights are random.")
    layer: str = Field(description="This is the path of the lowest of these layers.")
    rank_correlation: float | None = Field(
        description=(
            "This is Spearman's rank correlation (-1 to 1) of its map with the map of the original model. It is null if one of the two "
            "maps is the same everywhere."
        )
    )


class FaithfulnessFacts(ExplainedFacts):
    """The results of all tests of one map.

    A good map has a small deletion area, a large insertion area, a small drop, and correlations near 0.
    """

    attribution: str = Field(description="This is the name of the method whose map is tested.")
    score: Score = Field(description="This score of the class was watched.")
    deletion_area: float = Field(
        description=("This is the area under the score's curve (trapezoid rule) while pixels are covered, the strongest of the map first.")
    )
    insertion_area: float = Field(
        description="This is the area under the score's curve while pixels are shown, the strongest of the map first."
    )
    random_deletion_area: float = Field(
        description="This is the deletion area of a random map of the same resolution. A good map has a smaller one."
    )
    random_insertion_area: float = Field(
        description="This is the insertion area of a random map of the same resolution. A good map has a larger one."
    )
    masked_score: float = Field(description="This is the score for the image with each pixel multiplied by the map, scaled to 0-1.")
    drop: float | None = Field(description="This is max(0, score − masked_score) / score. It is null if the score is not above 0.")
    increased: bool = Field(description="This is true if `masked_score` is above the score for the whole image.")
    cascading: tuple[Randomised, ...] = Field(
        description=(
            "These are the results with layers randomised from the output downwards. The last entry reaches down to the first layer with a "
            "kernel."
        )
    )
    independent: tuple[Randomised, ...] = Field(description="These are the results with one layer randomised at a time.")
