from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import UnknownChannel, UnknownClass, UnknownLayer, UnsuitableLayer
from schemas.methods.synthesis.filters import Filters
from tests.schemas.methods.synthesis.small_models import LIMITS, POOLED, VGG, model, resolve


@pytest.mark.parametrize(
    ("given", "channels"),
    [(3, (0, 1, 2)), ([9, 2, 9], (9, 2)), ("all", tuple(range(70))), (None, tuple(range(16))), (70, tuple(range(70)))],
)
def test_channels_in_each_form(given: Any, channels: tuple[int, ...]) -> None:
    assert resolve(channels=given, size=16).channels == channels


@pytest.mark.parametrize("given", [71, 0, [70], [3, 9999]])
def test_channels_that_are_not_there(given: Any) -> None:
    with pytest.raises(UnknownChannel, match="70 channels"):
        resolve(channels=given)


def test_classes_by_index_and_label_once_each() -> None:
    assert resolve(class_index="c").class_index == 2
    assert resolve(class_index=["c", 0, 2, "A"]).class_index == (2, 0)


def test_a_neuron_needs_a_map_and_its_channel() -> None:
    assert resolve(neuron=[3, 4, 69]).neuron == (3, 4, 69)
    with pytest.raises(UnsuitableLayer, match="spatial map"):
        resolve(VGG, layer="fc", neuron=[0, 0, 1])
    with pytest.raises(UnknownChannel):
        resolve(neuron=[0, 0, 70])


@pytest.mark.parametrize(
    "params", [{"channels": 2, "neuron": [0, 0, 0]}, {"class_index": 1, "layer": "conv"}, {"whole_layer": True, "class_index": 1}]
)
def test_one_objective_only(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Filters.model_validate(params)


def test_directions_and_sums_resolve_to_themselves() -> None:
    direction = Filters(direction=((69, -1.0), (0, 2.0))).resolve(model(POOLED), LIMITS)
    assert (direction.layer, direction.direction, direction.channels) == ("conv", ((69, -1.0), (0, 2.0)), None)
    assert direction.resolve(model(POOLED), LIMITS) == direction
    summed = Filters.model_validate({"objectives": [{"channel": 3}, {"class_index": "C", "weight": -2}]}).resolve(model(POOLED), LIMITS)
    assert summed.objectives is not None
    assert [(part.layer, part.channel, part.class_index, part.weight) for part in summed.objectives] == [
        ("conv", 3, None, 1.0),
        (None, None, 2, -2.0),
    ]
    assert summed.layer is None
    assert summed.resolve(model(POOLED), LIMITS) == summed
    assert Filters.model_validate_json(summed.model_dump_json()) == summed


@pytest.mark.parametrize(
    ("params", "error", "pointer"),
    [
        ({"direction": [[70, 1]]}, UnknownChannel, "/params/direction"),
        ({"objectives": [{"channel": 70}]}, UnknownChannel, "/params/objectives"),
        ({"objectives": [{"neuron": [0, 0, 70]}]}, UnknownChannel, "/params/objectives"),
        ({"objectives": [{"layer": "reshape", "neuron": [0, 0, 1]}]}, UnsuitableLayer, "/params/objectives"),
        ({"objectives": [{"layer": "cnov", "channel": 1}]}, UnknownLayer, "/params/objectives"),
        ({"objectives": [{"class_index": 5}]}, UnknownClass, "/params/objectives"),
    ],
)
def test_parts_that_a_model_does_not_have(params: dict[str, Any], error: type[Exception], pointer: str) -> None:
    with pytest.raises(error) as raised:
        Filters.model_validate(params).resolve(model(POOLED), LIMITS)
    assert getattr(raised.value, "pointer", None) == pointer


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"direction": [[1, 1]], "channels": 3}, "give one of"),
        ({"direction": []}, "at least 1"),
        ({"direction": [[1, 1], [1, 2]]}, "more than once"),
        ({"direction": [[1, float("inf")]]}, "finite"),
        ({"channels": [1, 2], "diversity": {}}, "a list of one"),
        ({"channels": 1, "diversity": {}}, "a list of one"),
        ({"channels": [1], "diversity": {"count": 1}}, "greater than or equal to 2"),
        ({"channels": [1], "diversity": {"weight": 0}}, "greater than 0"),
        ({"neuron": [2**24, 0, 0]}, "less than 16777216"),
        ({"objectives": [{"channel": 1}], "layer": "conv"}, "its own layer"),
        ({"objectives": [{"weight": 1}]}, "got none"),
        ({"objectives": [{"channel": 1, "class_index": 1}]}, "channel and class_index"),
        ({"objectives": [{"layer": "conv", "class_index": 1}]}, "leave layer out"),
    ],
)
def test_directions_and_sums_that_make_no_sense(params: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Filters.model_validate(params)
