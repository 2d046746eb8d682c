"""Parameters of `top_patches` that are filled in, and parameters that are refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas import errors
from schemas.limits import MethodLimits
from schemas.methods.inspection.top_patches import TopPatches
from tests.schemas.tiny import published

IDS = tuple(f"img_{number:064x}" for number in range(4))


def resolved(limits: MethodLimits | None = None, **params: Any) -> TopPatches:
    return TopPatches.model_validate({"images": IDS} | params).resolve(published(), limits or MethodLimits())


def test_layer_and_channels_are_completed() -> None:
    assert (resolved().layer, resolved().channels) == ("block5_conv3", 8)
    assert resolved(layer="block5_conv1").channels == 4  # the layer has 4
    assert resolved(channels=[3, 0]).channels == (3, 0)


@pytest.mark.parametrize(
    ("params", "error", "pointer"),
    [
        ({"layer": "average"}, errors.UnsuitableLayer, "/params/layer"),
        ({"layer": "nothing"}, errors.UnknownLayer, "/params/layer"),
        ({"channels": [1, 8]}, errors.UnknownChannel, "/params/channels"),
        ({"limits": MethodLimits(max_images=3)}, errors.LimitExceeded, "/params/images"),
    ],
)
def test_what_the_model_does_not_have(params: dict[str, Any], error: type[errors.VisualizationError], pointer: str) -> None:
    with pytest.raises(error) as raised:
        resolved(**params)
    assert raised.value.pointer == pointer


def test_a_layer_without_a_field_is_told_those_that_have_one() -> None:
    with pytest.raises(errors.UnsuitableLayer, match="no receptive field") as raised:
        resolved(layer="average")
    assert raised.value.nearest == ("block5_conv1", "block5_conv3", "base/conv")


@pytest.mark.parametrize("images", [[], ["img_1"], [IDS[0], IDS[1], IDS[0]], None])
def test_images_are_ids_each_once(images: Any) -> None:
    with pytest.raises(ValidationError):
        TopPatches.model_validate({"images": images})


def test_an_image_given_twice_is_named() -> None:
    with pytest.raises(ValidationError, match="number 2 is the same image as number 0"):
        TopPatches.model_validate({"images": [IDS[0], IDS[1], IDS[0]]})
