"""Targets are checked against the description of the model's outputs before a job is queued."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas import errors
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.models import LayerKind, OutputHead, PublishedModel
from tests.schemas.tiny import LABELS, layer, published

IMAGE = "img_" + "a" * 64


LAYERS = (
    layer("fine", LayerKind.CONV, (8, 6, 4), ()),
    layer("bottleneck", LayerKind.CONV, (4, 3, 9), ("fine",)),
    layer("seg", LayerKind.CONV, (8, 6, 3), ("bottleneck", "fine")),
    layer("embed", LayerKind.CONV, (16,), ("fine",)),
    layer("boxes", LayerKind.CONV, (30, 4), ("bottleneck",)),
)
HEADS = (
    OutputHead(
        name="seg",
        classes=None,
        head="softmax",
        default_layer="bottleneck",
        dense_classes=3,
        kind="dense_classes",
        shape=(8, 6, 3),
        layer="seg",
    ),
    OutputHead(name="embed", classes=None, head="embedding", default_layer="fine", kind="embedding", shape=(16,), layer="embed"),
    OutputHead(name="boxes", classes=None, head="none", default_layer="bottleneck", kind="unknown", shape=(None, 4), layer="boxes"),
)
SEGMENTATION = published(
    ("background", "cat", "dog"),
    classes=None,
    outputs=("seg", "embed", "boxes"),
    heads=HEADS,
    layers=LAYERS,
    default_layer="seg",
)


def resolved(method: str, model: PublishedModel = SEGMENTATION, **params: Any) -> Any:
    return METHODS[method].model_validate(params).resolve(model, MethodLimits())


def target(found: Any) -> Any:
    return found.model_dump(mode="json")["target"]


def test_a_region_is_completed() -> None:
    found = resolved("grad_cam", target={"region": {"class": "Dog"}})
    assert target(found) == {"region": {"class": 2, "where": "predicted"}}
    assert (found.layer, found.class_index) == ("bottleneck", None)
    assert METHODS["grad_cam"].model_validate_json(found.model_dump_json()) == found
    for where in ({"box": [1, 2.5, 3, 4]}, {"mask": IMAGE}, {"point": [7, 8]}):
        assert target(resolved("saliency", target={"region": {"class": 0, "where": where}}))["region"]["where"] == where


def test_one_class_is_its_short_form() -> None:
    model = published()
    for given, index in (({"class": 3}, 3), ({"class": "ESPRESSO"}, 4), ({"class": [1, "tench"]}, (1, 0))):
        found = resolved("rise", model, target=given)
        assert (found.class_index, found.target) == (index, None)
        assert found == resolved("rise", model, class_index=given["class"])
        assert found == resolved("rise", model, target=given["class"])


def test_a_difference_is_completed() -> None:
    model = published()
    found = resolved("layer_cam", model, target={"difference": {"of": "espresso", "from": ["tench", 2], "weight": 0.6}})
    assert target(found) == {"difference": {"of": 4, "from": [0, 2], "weight": 0.6}}
    assert target(resolved("layer_cam", model, target={"difference": {}})) == {"difference": {"of": None, "from": "nearest", "weight": 1.0}}


@pytest.mark.parametrize(
    ("params", "error", "pointer", "message"),
    [
        (
            {"target": {"class": 2}},
            errors.UnknownClass,
            "/params/target/class",
            "Give `target`, one of: region, element, similarity, activation",
        ),
        ({}, errors.UnknownClass, "/params/class_index", "has no class output. Give `target`, one of: region, element"),
        (
            {"target": {"difference": {}}},
            errors.InvalidParameters,
            "/params/target",
            "(kind dense_classes, shape (8, 6, 3)) has no target 'difference'",
        ),
        (
            {"target": {"region": {"class": 3}}},
            errors.UnknownClass,
            "/params/target/region/class",
            "has 3 classes: class_index must be 0 to 2",
        ),
        ({"target": {"region": {"class": "cow"}}}, errors.UnknownClass, "/params/target/region/class", "no class labelled 'cow'"),
        (
            {"target": {"region": {"class": 1}}, "output": "boxes"},
            errors.InvalidParameters,
            "/params/target",
            "has: element, similarity, activation",
        ),
        (
            {"target": {"element": [7, 6, 0]}},
            errors.InvalidParameters,
            "/params/target/element",
            "(8, 6, 3), so it has no value at [7, 6, 0]",
        ),
        ({"target": {"element": [7]}}, errors.InvalidParameters, "/params/target/element", "one index for each axis"),
        ({"target": {"element": [999, 4]}, "output": "boxes"}, errors.InvalidParameters, "/params/target/element", "(any, 4)"),
    ],
)
def test_a_target_that_the_model_does_not_have(params: Any, error: type[errors.VisualizationError], pointer: str, message: str) -> None:
    with pytest.raises(error) as raised:
        resolved("grad_cam", **params)
    assert raised.value.pointer == pointer
    assert message in raised.value.detail


@pytest.mark.parametrize(
    ("params", "error", "pointer", "message"),
    [
        (
            {"target": {"activation": {"layer": "fin", "channel": 0}}},
            errors.UnknownLayer,
            "/params/target/activation/layer",
            "no layer 'fin'",
        ),
        ({"target": {"activation": {"layer": "fine", "channel": 4}}}, errors.UnknownChannel, "/params/target/activation/channel", "0 to 3"),
        (
            {"target": {"activation": {"layer": "fine", "channel": 3, "position": [8, 0]}}},
            *(errors.InvalidParameters, "/params/target/activation/position", "(8, 6), so it has no value at [8, 0]"),
        ),
        (
            {"target": {"similarity": {"image": IMAGE, "layer": "x"}}},
            errors.UnknownLayer,
            "/params/target/similarity/layer",
            "no layer 'x'",
        ),
    ],
)
def test_a_layer_or_channel_that_the_model_does_not_have(
    params: Any, error: type[errors.VisualizationError], pointer: str, message: str
) -> None:
    test_a_target_that_the_model_does_not_have(params, error, pointer, message)


def test_elements_of_sizes_that_vary_are_left_to_the_worker() -> None:
    assert target(resolved("grad_cam", target={"element": [999, 3]}, output="boxes")) == {"element": [999, 3]}


def test_the_layer_must_come_before_the_target() -> None:
    found = resolved("grad_cam", target={"similarity": {"image": IMAGE}}, output="embed")
    assert (found.layer, target(found)["similarity"]["layer"]) == ("fine", None)
    with pytest.raises(errors.UnsuitableLayer, match="not computed from layer 'bottleneck', but from 'embed'") as raised:
        resolved("grad_cam", target={"similarity": {"image": IMAGE}}, output="embed", layer="bottleneck")
    assert raised.value.nearest == ("fine",)
    with pytest.raises(errors.UnsuitableLayer, match="not computed from layer 'bottleneck', but from 'fine'"):
        resolved("grad_cam", target={"activation": {"layer": "fine", "channel": 1}})
    assert resolved("grad_cam", target={"activation": {"layer": "fine", "channel": 1}}, layer="fine").layer == "fine"
    assert resolved("guided_grad_cam", target={"region": {"class": 1}}).layer == "bottleneck"


def test_a_place_of_the_photo_is_not_mirrored() -> None:
    with pytest.raises(errors.InvalidParameters, match="a target 'region' has a fixed place in it"):
        resolved("grad_cam", target={"region": {"class": 1}}, augment=True)
    assert resolved("grad_cam", published(), target={"difference": {}}, augment=True).augment


@pytest.mark.parametrize(
    "params",
    [
        {"target": {"class": 1}, "class_index": 1},
        {"target": {"element": [1]}, "sign": -1},
        {"target": {"region": {"class": 1, "where": {"box": [0, 0, 0, 4]}}}},
        {"target": {"region": {"class": 1, "where": {"mask": "img_1"}}}},
        {"target": {"element": []}},
        {"target": {"element": [-1]}},
        {"target": {"class": []}},
        {"target": {"elements": [1]}},
        {"target": {"element": [1], "class": 2}},
        {"target": []},
        {"target": [1, {"class": 2}]},
        {"target": True},
        {"target": 1.5},
        {"target": '{"class": 1'},
        {"target": 3, "class_index": 3},
    ],
)
def test_targets_that_are_none(params: Any) -> None:
    with pytest.raises(ValidationError):
        METHODS["grad_cam"].model_validate(params)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"of": 1, "from": [1, 2]}, "Each class of a difference may stand there once"),
        ({"of": 1, "from": [2, 2]}, "Each class of a difference may stand there once"),
        ({"of": 1, "from": [len(LABELS)]}, "must be 0 to 4"),
    ],
)
def test_differences_that_are_none(given: Any, message: str) -> None:
    with pytest.raises(errors.VisualizationError, match=message):
        resolved("grad_cam", published(), target={"difference": given})


def test_faithfulness_hands_its_target_to_the_attribution() -> None:
    found = resolved("faithfulness", target={"region": {"class": "cat"}})
    assert found.attribution_params().target == found.target
    assert found.options["layer"] == "bottleneck"
    with pytest.raises(errors.InvalidParameters, match="give one class and not a list") as raised:
        resolved("faithfulness", published(), target={"class": [1, 2]})
    assert raised.value.pointer == "/params/target/class"
