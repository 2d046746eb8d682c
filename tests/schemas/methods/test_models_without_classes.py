"""Regression values, models without classes, and layers of nested models are resolved against the description of the model."""

from __future__ import annotations

import pytest

from schemas import errors
from schemas.models import LayerKind, OutputHead, PublishedModel, ReceptiveField
from tests.schemas.methods.test_target_resolution import IMAGE, LAYERS, resolved, target
from tests.schemas.tiny import layer, published


def test_one_regression_value_is_explained_where_nothing_is_given() -> None:
    age = OutputHead(name="age", classes=None, head="regression", default_layer="fine", kind="regression", shape=(1,), layer="embed")
    model = published((), classes=None, head="regression", outputs=("age",), heads=(age,), layers=LAYERS, default_layer="fine")
    assert target(resolved("grad_cam", model)) == {"element": [0]}
    with pytest.raises(errors.UnknownClass, match=r"has no class output\. Give `target`, one of: element, similarity, activation"):
        resolved("grad_cam", model, class_index=0)
    ages = age.model_copy(update={"shape": (2,)})
    two = published((), classes=None, head="regression", outputs=("age",), heads=(ages,), layers=LAYERS, default_layer="fine")
    with pytest.raises(errors.UnknownClass, match="Give `target`"):
        resolved("grad_cam", two)


def test_a_layer_of_a_target_may_be_named_without_its_nested_model() -> None:
    """`conv` is the only layer of that name, in the nested model `base`."""
    found = resolved("saliency", published(), target={"activation": {"layer": "conv", "channel": 1, "position": [4, 6]}})
    assert target(found)["activation"]["layer"] == "base/conv"
    found = resolved("grad_cam", published(), layer="conv", target={"similarity": {"image": IMAGE, "layer": "conv"}})
    assert (target(found)["similarity"]["layer"], found.layer) == ("base/conv", "base/conv")
    assert resolved("eigen_cam", published(), layer="conv").layer == "base/conv"
    with pytest.raises(errors.UnknownLayer, match="Nearest: base/conv") as raised:
        resolved("saliency", published(), target={"activation": {"layer": "convv", "channel": 1}})
    assert raised.value.pointer == "/params/target/activation/layer"


def test_eigen_cam_needs_no_classes() -> None:
    assert resolved("eigen_cam").layer == "bottleneck"
    assert resolved("eigen_cam", output="embed").layer == "fine"
    assert resolved("eigen_cam", layer="seg").layer == "seg"
    with pytest.raises(errors.UnsuitableLayer, match=r"Layer 'embed' .* has no spatial map"):
        resolved("eigen_cam", layer="embed")


def _features(**changes: object) -> OutputHead:
    given = {"name": "features", "classes": None, "head": "none", "default_layer": "before", "dense_classes": 8, "kind": "dense_classes"}
    return OutputHead.model_validate({**given, "shape": (4, 3, 8), "layer": "last", **changes})


def _backbone(*, last: tuple[int | None, ...] = (4, 3, 8), kind: LayerKind = LayerKind.ACTIVATION, **changes: object) -> PublishedModel:
    field = ReceptiveField(size=(9, 9), stride=(8, 8))
    before = layer("before", LayerKind.CONV, (None, None, 8) if None in last else (4, 3, 8), (), cam_able=True)
    layers = tuple(each.model_copy(update={"receptive_field": field}) for each in (before, layer("last", kind, last, ("before",))))
    given: dict[str, object] = {"outputs": ("features",), "heads": (_features(),), "default_layer": "last", "head": "none", **changes}
    return published((), classes=None, layers=layers, **given)


def test_eigen_cam_of_a_network_without_a_head_looks_at_its_last_map() -> None:
    assert resolved("eigen_cam", _backbone()).layer == "last"
    assert resolved("eigen_cam", _backbone(last=(None, None, 8))).layer == "last"
    assert resolved("eigen_cam", _backbone(outputs=("classes", "features")), output="features").layer == "last"
    assert resolved("eigen_cam", _backbone(heads=(_features(default_layer=None),))).layer == "last"


def test_eigen_cam_looks_at_an_earlier_layer_for_a_reason() -> None:
    assert resolved("eigen_cam", _backbone(last=(8, 6, 8))).layer == "before"  # a segmentation ends in a finer map
    assert resolved("eigen_cam", _backbone(kind=LayerKind.POOLING)).layer == "before"
    assert resolved("eigen_cam", _backbone(default_layer="before")).layer == "before"  # the model's settings name it
    assert resolved("eigen_cam", _backbone(head="softmax")).layer == "before"
