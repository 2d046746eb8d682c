"""The measures of a map: what each of them needs and costs, and which way is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import Field, field_validator

from schemas.errors import InvalidParameters
from schemas.methods.base import MethodParams
from schemas.methods.facts import Facts
from schemas.methods.perturbation.base import CountsTries
from schemas.models import ModelDescription

MeasureName = Literal[
    "deletion",
    "insertion",
    "road",
    "infidelity",
    "max_sensitivity",
    "sparseness",
    "complexity",
    "random_logit",
    "pointing_game",
    "relevance_mass",
    "relevance_rank",
]
Better = Literal["lower", "higher"]
CURVE_STEPS = 20
"""Deletion and insertion cover or show the pixels in this many equal parts."""
ROAD_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""ROAD removes these shares of the pixels, as pytorch-grad-cam does."""


@dataclass(frozen=True)
class MapMeasure:
    """A measure of one map.

    Attributes:
        title: its name in words.
        better: which way is better.
        meaning: what a good value says.
        needs_region: true if it compares the map with a region of the photo.
    """

    title: str
    better: Better
    meaning: str
    needs_region: bool = False


MEASURES: Mapping[MeasureName, MapMeasure] = {
    "deletion": MapMeasure("deletion area", "lower", "the score falls when the marked pixels are covered"),
    "insertion": MapMeasure("insertion area", "higher", "the score rises when the marked pixels are shown"),
    "road": MapMeasure("ROAD (LeRF − MoRF) / 2", "higher", "the marked pixels matter more than the others"),
    "infidelity": MapMeasure("infidelity", "lower", "the map adds up to what removed squares cost"),
    "max_sensitivity": MapMeasure("max-sensitivity", "lower", "a nearly equal image gets a nearly equal map"),
    "sparseness": MapMeasure("sparseness (Gini)", "higher", "few pixels hold most of the map"),
    "complexity": MapMeasure("complexity (entropy)", "lower", "the map is spread over few pixels"),
    "random_logit": MapMeasure("random logit", "lower", "another class gets another map"),
    "pointing_game": MapMeasure("pointing game", "higher", "the strongest pixel lies in the region", needs_region=True),
    "relevance_mass": MapMeasure("relevance mass", "higher", "the positive part of the map lies in the region", needs_region=True),
    "relevance_rank": MapMeasure("relevance rank", "higher", "the strongest pixels lie in the region", needs_region=True),
}
MEASURES_REFERENCE = (
    "Rong et al., arXiv:2202.00449 (ROAD); Yeh et al., arXiv:1901.09392 (infidelity, max-sensitivity); Chalasani et al., "
    "arXiv:1810.06583 (sparseness); Bhatt et al., arXiv:2005.00631 (complexity); Sixt et al., arXiv:1912.09818 (random logit); Zhang et "
    "al., arXiv:1608.00507 (pointing game); Arras et al., arXiv:2003.07258 (relevance mass and rank); Petsiuk et al., arXiv:1806.07421 "
    "(deletion, insertion)"
)
MEASURES_COST = (
    "deletion and insertion take 21 forward passes each, road 18 and a few seconds to fill pixels, and infidelity `perturbations` passes. "
    "max_sensitivity makes the map `disturbances` more times, and random_logit `other_classes` more times. The other measures ask the "
    "model nothing."
)


class MeasuredValue(Facts):
    """The value of one measure."""

    measure: MeasureName = Field(description="This is the name of the measure.")
    better: Better = Field(description="It says which way is better.")
    value: float | None = Field(description="This is the value. It is null if the map has none, for example because it is zero everywhere.")
    morf: float | None = Field(
        default=None, description="This is the mean score of road while the most relevant pixels are removed. Other measures have null."
    )
    lerf: float | None = Field(
        default=None, description="This is the mean score of road while the least relevant pixels are removed. Other measures have null."
    )
    scale: float | None = Field(
        default=None,
        description="For infidelity, the map was multiplied by this number to have the unit of the score. Other measures have null.",
    )


class MeasuresParams(MethodParams):
    """Parameters that say how maps are measured. The class that uses it defines `measures`."""

    measures: tuple[MeasureName, ...]
    perturbations: int = Field(
        default=64, ge=2, le=4096, description="For infidelity, this many squares are removed from the image, one in each try."
    )
    disturbances: int = Field(default=10, ge=1, le=256, description="For max_sensitivity, the map is made for this many disturbed images.")
    radius: float = Field(
        default=0.02,
        gt=0,
        le=1,
        description=(
            "For max_sensitivity, each value of the input changes by at most this share of the distance from black to white, 0-1. The "
            "changes are uniform noise."
        ),
    )
    other_classes: int = Field(
        default=5, ge=1, le=64, description="For random_logit, the map is made for this many other classes, which are drawn at random."
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="This is the seed of all that the measures draw at random.")

    @field_validator("measures")
    @classmethod
    def _unlike_measures(cls, measures: tuple[MeasureName, ...]) -> tuple[MeasureName, ...]:
        if twice := next((each for each in measures if measures.count(each) > 1), None):
            raise ValueError(f"each measure may stand here once, but {twice} stands here more than once")
        return measures

    def passes(self, attribution: MethodParams, model: ModelDescription, other_classes: int | None) -> int:
        """Return how many covered or changed images one map and its measures take at most.

        Args:
            attribution: the resolved parameters of the method whose map is measured.
            model: the model.
            other_classes: the number of classes that the model has beside the explained one. None stands for unknown.
        """
        others = self.other_classes if other_classes is None else min(self.other_classes, other_classes)
        own = {
            "deletion": CURVE_STEPS + 1,
            "insertion": CURVE_STEPS + 1,
            "road": 2 * len(ROAD_SHARES),
            "infidelity": self.perturbations,
        }
        maps = {"max_sensitivity": self.disturbances, "random_logit": others}
        count = sum(own.get(each, 0) for each in self.measures)
        more = sum(maps.get(each, 0) for each in self.measures)
        tries = attribution.tries(model) if isinstance(attribution, CountsTries) else 0
        return count + more * max(tries, 1) + tries

    def check_regions(self, *, given: bool, pointer: str) -> None:
        """Raise `InvalidParameters` if a measure needs a region and there is none, or if there is one that no measure needs."""
        needing = [each for each in self.measures if MEASURES[each].needs_region]
        if needing and not given:
            raise InvalidParameters(
                f"The measure {needing[0]} compares the map with a region of the photo, so give one.", pointer=pointer, got="none"
            )
        if given and not needing:
            able = ", ".join(each for each in get_args(MeasureName) if MEASURES[each].needs_region)
            raise InvalidParameters(
                f"None of the measures compares the map with a region. These do: {able}.", pointer=pointer, allowed="null", got="a region"
            )

    def check_other_classes(self, other_target: bool, classes: int | None) -> None:
        """Raise `InvalidParameters` if random_logit is asked for and there is no other class to explain."""
        if "random_logit" in self.measures and (other_target or classes is None or classes < 2):
            raise InvalidParameters(
                "The measure random_logit needs a target that is a class, and a model with other classes.",
                pointer="/params/measures",
                allowed=", ".join(each for each in get_args(MeasureName) if each != "random_logit"),
                got="random_logit",
            )
