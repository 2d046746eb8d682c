"""The parameters of `map_measures`: what a measure needs, and what all measures cost."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from schemas import errors
from schemas.limits import MethodLimits
from schemas.methods.evaluation.map_measures import MapMeasures
from schemas.methods.evaluation.measures import MEASURES, MeasureName
from tests.schemas.tiny import published

BOX = {"box": [1, 2, 3, 4]}


def resolved(limits: MethodLimits | None = None, **params: Any) -> MapMeasures:
    return MapMeasures.model_validate(params).resolve(published(), limits or MethodLimits())


def test_every_measure_is_described() -> None:
    assert set(MEASURES) == set(get_args(MeasureName))


@pytest.mark.parametrize(
    ("given", "error", "pointer", "words"),
    [
        ({"measures": ["pointing_game"]}, errors.InvalidParameters, "/params/region", "compares the map with a region"),
        ({"measures": ["road"], "region": BOX}, errors.InvalidParameters, "/params/region", "None of the measures"),
        (
            {"measures": ["random_logit"], "target": {"difference": {"of": 1}}},
            errors.InvalidParameters,
            "/params/measures",
            "needs a target that is a class",
        ),
        ({"class_index": [1, 2]}, errors.InvalidParameters, "/params/class_index", "one class"),
        ({"options": {"layer": "nowhere"}}, errors.UnknownLayer, "/params/options/layer", "nowhere"),
    ],
)
def test_wrong_parameters_are_refused(given: dict[str, Any], error: type[errors.VisualizationError], pointer: str, words: str) -> None:
    with pytest.raises(error, match=words) as raised:
        resolved(**given)
    assert raised.value.pointer == pointer


def test_a_measure_may_stand_there_once() -> None:
    with pytest.raises(ValueError, match="road stands here more than once"):
        MapMeasures.model_validate({"measures": ["road", "road"]})


def test_the_cost_is_limited_before_anything_runs() -> None:
    """Road shows 18 images and infidelity 7. The map is made once, and three times more for disturbed images, by 100 masks each."""
    rise: dict[str, Any] = {"attribution": "rise", "options": {"masks": 100}, "perturbations": 7, "disturbances": 3}
    assert resolved(MethodLimits(max_masks=425), **rise).disturbances == 3
    with pytest.raises(errors.LimitExceeded, match="got 425") as raised:
        resolved(MethodLimits(max_masks=424), **rise)
    assert raised.value.pointer == "/params/measures"


def test_no_more_other_classes_are_counted_than_there_are() -> None:
    rise: dict[str, Any] = {"attribution": "rise", "options": {"masks": 10}, "measures": ["random_logit"], "other_classes": 64}
    classes = published().description.classes or 0
    assert resolved(MethodLimits(max_masks=10 * classes), **rise).other_classes == 64
    with pytest.raises(errors.LimitExceeded):
        resolved(MethodLimits(max_masks=10 * classes - 1), **rise)
