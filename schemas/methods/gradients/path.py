"""The parameters and facts of methods that share out the difference between a class's scores for the image and for a baseline."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.methods.gradients.base import GradientFacts

PathBaseline = Literal["black", "white", "mean", "blurred", "random"]
"""An input without the object, from which a path to the image begins."""


class CompletenessFacts(GradientFacts):
    """The classes, and how well the attributions of each add up. The lists are in the order of `classes`."""

    score_difference: tuple[float, ...] = Field(description="This is each class's score for the image minus its score for the baseline.")
    attributed: tuple[float, ...] = Field(
        description="This is the sum of all attributions. If the method is exact, it is equal to `score_difference`."
    )
    completeness_error: tuple[float, ...] = Field(
        description="This is |attributed − score_difference| / |score_difference|, or the numerator alone if the difference is 0."
    )
