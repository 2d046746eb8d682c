"""The result of a method whose attributions sum to the difference between the scores of the image and of a baseline (completeness,
Sundararajan et al., arXiv:1703.01365, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from rendering.photo import Photo
from schemas.methods.gradients.base import PictureParams
from schemas.methods.gradients.path import CompletenessFacts
from workers.contract.artifacts import Output
from workers.methods.class_scores import class_name
from workers.methods.gradients import gradient_pictures
from workers.methods.gradients.input_attribution import InputAttribution

UNSETTLED = 0.1
"""If the attributions miss this share of the score's difference, methods that take a given number of steps warn about it."""


@dataclass(frozen=True)
class CompleteAttribution:
    """Attributions that should add up.

    Attributes:
        attribution: the attributions and their maps.
        difference: for each class the score of the image minus the score of the baseline.
        attributed: for each class the sum of its attributions. If the method is exact, it is equal to `difference`.
    """

    attribution: InputAttribution
    difference: Float64[np.ndarray, " n"]
    attributed: Float64[np.ndarray, " n"]

    @property
    def maps(self) -> Float32[np.ndarray, "n H W"]:
        """The maps of the attributions."""
        return self.attribution.maps

    @property
    def errors(self) -> Float64[np.ndarray, " n"]:
        """For each class |attributed − difference| as a share of |difference|, or unscaled if the difference is 0."""
        return completeness_errors(self.attributed, self.difference)


def completeness_errors(attributed: Float64[np.ndarray, " n"], difference: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Return |attributed − difference| as a share of |difference|, or unscaled if the difference is 0."""
    return np.abs(attributed - difference) / np.where(difference == 0, 1, np.abs(difference))


def draw_complete(
    result: CompleteAttribution,
    photo: Photo,
    params: PictureParams,
    facts: type[CompletenessFacts],
    *,
    tolerance: float,
    advice: str,
    **more: Any,
) -> Output:
    """Return the output of a signed map, with a warning for each class whose attributions do not add up.

    Args:
        facts: the class of the method's facts.
        tolerance: the largest completeness error that brings no warning.
        advice: the sentence that ends the warning.
        more: the facts that only this method has.
    """
    drawn = gradient_pictures.draw_signed(
        result.attribution,
        photo,
        params,
        facts,
        score_difference=tuple(result.difference.tolist()),
        attributed=tuple(result.attributed.tolist()),
        completeness_error=tuple(result.errors.tolist()),
        **more,
    )
    pairs = zip(result.attribution.classes, result.errors.tolist(), strict=True)
    warnings = [
        f"{class_name(scored)}: the sum of the attributions misses the score's difference by {error:.0%} of it. {advice}"
        for scored, error in pairs
        if error > tolerance
    ]
    return gradient_pictures.with_warnings(drawn, warnings)
