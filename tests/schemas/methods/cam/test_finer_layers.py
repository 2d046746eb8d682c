"""Finer layers before a target layer: by stride, by side where a stride is not known, and on the way to the target alone."""

from __future__ import annotations

import pytest

from schemas.methods.cam.finer_layers import finer_layers
from schemas.models import Layer, LayerKind, ModelDescription, ReceptiveField
from tests.schemas.methods.test_target_resolution import resolved
from tests.schemas.tiny import layer, published


def at(path: str, stride: int | None, side: int | None, before: str, kind: LayerKind = LayerKind.CONV) -> Layer:
    field = None if stride is None else ReceptiveField(size=(9, 9), stride=(stride, stride))
    return layer(path, kind, (side, side, 4), (before,) if before else (), cam_able=True).model_copy(update={"receptive_field": field})


def model(*layers: Layer) -> ModelDescription:
    return published(layers=layers).description


CHAIN = (
    at("stem", 2, 30, ""),
    at("padded", 2, 32, "stem", LayerKind.RESHAPE),
    at("one", 4, 14, "padded"),
    at("two", 4, 12, "one"),
    at("pool", 8, 6, "two", LayerKind.POOLING),
    at("three", 8, 6, "pool"),
    at("last", 16, 2, "three"),
)


@pytest.mark.parametrize(("count", "expected"), [(0, ()), (1, ("three",)), (2, ("three", "two")), (9, ("three", "two", "stem"))])
def test_the_last_layer_of_each_stride(count: int, expected: tuple[str, ...]) -> None:
    """`one` has a larger map than `two` only because it has no padding, `padded` and `pool` repeat the map of another layer."""
    assert finer_layers(model(*CHAIN), "last", count) == expected


def test_layers_after_the_target_and_on_side_ways_are_left_out() -> None:
    side = (*CHAIN[:4], at("side", 2, 30, "stem"), *CHAIN[4:], at("up", 2, 30, "last"))
    assert finer_layers(model(*side), "last", 9) == ("three", "two", "stem")


def test_sides_are_compared_where_a_stride_is_not_known() -> None:
    unknown = (at("fine", None, 12, ""), at("middle", None, 12, "fine"), at("last", None, 6, "middle"))
    assert finer_layers(model(*unknown), "last", 9) == ("middle",)
    free = (at("fine", None, None, ""), at("last", None, None, "fine"))
    assert finer_layers(model(*free), "last", 9) == ()


def test_refine_cam_adds_them_to_the_default_layer_alone() -> None:
    chosen = published(layers=CHAIN, default_layer="last")
    assert resolved("refine_cam", chosen).layer == ("last", "three", "two")
    assert resolved("refine_cam", chosen, sizes=1).layer == ("last",)
    assert resolved("refine_cam", chosen, layer="one").layer == "one"
    assert resolved("refine_cam", chosen, layer=["one", "last"]).layer == ("one", "last")
