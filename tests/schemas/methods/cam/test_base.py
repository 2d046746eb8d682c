"""The parameters of class activation maps: layers, classes and channels."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import InvalidParameters, LimitExceeded, UnknownLayer, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.methods.cam.activation_params import ActivationCamParams
from schemas.methods.cam.base import CamParams
from schemas.methods.target_class import TOP_CLASS, TargetClasses
from tests.schemas.tiny import LABELS, published

CAMS = [name for name, params in METHODS.items() if issubclass(params, CamParams)]


def resolved(method: str, **params: Any) -> Any:
    return METHODS[method].model_validate(params).resolve(published(), MethodLimits())


@pytest.mark.parametrize("method", CAMS)
def test_layer_is_one_path_a_list_or_the_default(method: str) -> None:
    assert resolved(method).layer_paths()[0] == "block5_conv3"
    assert resolved(method, layer="base/conv").layer_paths() == ("base/conv",)
    several = resolved(method, layer=["base/conv", "block5_conv1", "base/conv"])
    assert several.layer == several.layer_paths() == ("base/conv", "block5_conv1")
    assert resolved(method, layer=["base/conv"]).layer == ("base/conv",)


@pytest.mark.parametrize("method", CAMS)
def test_each_layer_of_a_list_must_suit(method: str) -> None:
    with pytest.raises(UnsuitableLayer, match="'average'"):
        resolved(method, layer=["base/conv", "average"])
    with pytest.raises(UnknownLayer, match="'nowhere'") as raised:
        resolved(method, layer=["base/conv", "nowhere"])
    assert raised.value.pointer == "/params/layer"
    for layers in ([], [f"layer_{number}" for number in range(17)]):
        with pytest.raises(ValidationError):
            METHODS[method].model_validate({"layer": layers})


def test_unresolved_parameters_have_no_layer_paths() -> None:
    with pytest.raises(ValueError, match="not resolved: layer"):
        METHODS["hires_cam"].model_validate({}).layer_paths()  # type: ignore[attr-defined]


@pytest.mark.parametrize("method", [name for name in CAMS if not issubclass(METHODS[name], ActivationCamParams)])
def test_classes_and_layers_are_both_resolved(method: str) -> None:
    found = resolved(method, layer=["base/conv"], class_index=[LABELS[2], 0])
    assert (found.layer, found.class_index) == (("base/conv",), (2, 0))
    assert found.target_classes() == TargetClasses((2, 0), listed=True)
    assert resolved(method).target_classes() == TargetClasses((TOP_CLASS,), listed=False)


def test_only_layer_cam_and_refine_cam_do_not_fuse_by_the_mean_unless_asked() -> None:
    own = {"layer_cam": "max", "refine_cam": "product"}
    assert {method: resolved(method).fuse for method in CAMS} == {method: own.get(method, "mean") for method in CAMS}


def test_frames_are_bounded_and_take_one_class() -> None:
    assert resolved("grad_cam", frames=64).frames == 64
    for method, params, error, pointer in [
        ("grad_cam", {"frames": 65}, LimitExceeded, "/params/frames"),
        ("xgrad_cam", {"frames": 2, "class_index": [1, 2]}, InvalidParameters, "/params/class_index"),
        ("xgrad_cam", {"frames": 2, "target": [1, 2]}, InvalidParameters, "/params/target/class"),
        ("saliency", {"frames": 65}, LimitExceeded, "/params/frames"),
        ("saliency", {"frames": 2, "class_index": [1, 2]}, InvalidParameters, "/params/class_index"),
        ("occlusion", {"frames": 2, "class_index": [1, 2]}, InvalidParameters, "/params/class_index"),
        ("rise", {"frames": 9, "masks": 1000}, LimitExceeded, "/params/masks"),
        ("occlusion", {"frames": 64, "window": 2, "stride": 1}, LimitExceeded, "/params/stride"),
        ("integrated_gradients", {"frames": 9, "steps": 1000}, LimitExceeded, "/params/steps"),
        ("smooth_grad", {"frames": 64, "samples": 129}, LimitExceeded, "/params/samples"),
        ("faithfulness", {"options": {"frames": 2}}, InvalidParameters, "/params/options/frames"),
    ]:
        with pytest.raises(error) as refused:
            resolved(method, **params)
        assert refused.value.pointer == pointer
