"""A layer of a nested model may be asked for by its own name. The resolved parameters hold its full path."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import errors
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.models import LayerKind
from tests.schemas.tiny import description, layer, published


def resolved(method: str, *, model: dict[str, Any] | None = None, **params: Any) -> Any:
    return METHODS[method].model_validate(params).resolve(published(**(model or {})), MethodLimits())


@pytest.mark.parametrize(
    ("method", "given", "expected"),
    [
        ("grad_cam", {"layer": "conv"}, "base/conv"),
        ("grad_cam", {"layer": ["block5_conv1", "conv", "base/conv"]}, ("block5_conv1", "base/conv")),
        ("guided_grad_cam", {"layer": "conv"}, "base/conv"),
        ("deconvnet", {"layer": "conv", "channels": 1}, "base/conv"),
        ("activations", {"layer": "conv"}, "base/conv"),
        ("activations", {"layer": ["conv", "block5_conv1"]}, ("base/conv", "block5_conv1")),
        ("weights", {"layer": "conv"}, "base/conv"),
        ("filters", {"layer": "conv", "channels": 1}, "base/conv"),
        ("filter_atlas", {"layer": "conv", "size": 32}, "base/conv"),
        ("feature_inversion", {"layer": "conv"}, "base/conv"),
        ("top_patches", {"layer": "conv", "channels": 1, "images": ["img_" + "0" * 64]}, "base/conv"),
    ],
)
def test_a_layer_of_a_nested_model_may_be_named_by_its_own_name(method: str, given: dict[str, Any], expected: Any) -> None:
    assert resolved(method, **given).layer == expected


def test_a_name_in_parts_of_methods_becomes_the_full_path_too() -> None:
    assert resolved("deep_dream", layers={"conv": 1.0}).layers == {"base/conv": 1.0}
    assert resolved("architecture", first_layer="conv").first_layer == "base/conv"
    assert resolved("filters", objectives=[{"layer": "conv", "channel": 1}]).objectives[0].layer == "base/conv"
    target = {"activation": {"layer": "conv", "channel": 1}}
    assert resolved("saliency", target=target).target.activation.layer == "base/conv"


def test_a_name_that_two_nested_models_have_needs_the_full_path() -> None:
    two = [*description().layers, layer("other/conv", LayerKind.CONV, (5, 7, 2), ("base/conv",), cam_able=True)]
    with pytest.raises(errors.UnknownLayer, match="no layer 'conv'") as raised:
        resolved("grad_cam", model={"layers": two}, layer="conv")
    assert set(raised.value.nearest) >= {"base/conv", "other/conv"}
