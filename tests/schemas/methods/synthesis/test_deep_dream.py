from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import InvalidParameters, LimitExceeded, UnknownLayer, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.synthesis.deep_dream import DeepDream, default_layers, default_tile
from schemas.models import InputSpec, Layer, LayerKind, ReceptiveField
from tests.schemas.tiny import description, published

LIMITS = MethodLimits()


def layer(path: str, kind: str, side: int | None, stride: int | None, *, class_name: str = "X", inbound: tuple[str, ...] = ()) -> Layer:
    return Layer(
        path=path,
        type=class_name,
        kind=LayerKind(kind),
        output_shape=(7,) if side == 0 else (side, side, 4),
        parameters=0,
        channels=4,
        receptive_field=None if stride is None else ReceptiveField(size=(3, 3), stride=(stride, stride)),
        inbound=inbound,
        cam_able=side != 0,
    )


def chosen(*layers: Layer, **changes: Any) -> dict[str, float]:
    return default_layers(description(layers=layers, **changes))


def test_default_layers_of_a_network_of_branches() -> None:
    """Six sums are at a 16th of the photo, beside activations and convolutions. Four of them are chosen, evenly spaced."""
    blocks = [
        layer(f"{name}{block}", kind, 14, 16)
        for block in range(6)
        for name, kind in (("conv", "conv"), ("relu", "activation"), ("add", "merge"))
    ]
    layers = (layer("stem", "conv", 112, 2), *blocks, layer("last", "conv", 7, 32), layer("pool", "pooling", 3, 64))
    assert chosen(*layers) == {"add1": 1.0, "add2": 1.5, "add3": 2.0, "add5": 2.5}


def test_default_layers_of_a_plain_network() -> None:
    """The layers are those of VGG16, and block 4 is chosen."""
    layers = [
        layer(f"block{block}_conv{index}", "conv", 224 >> (block - 1), 1 << (block - 1)) for block in range(1, 6) for index in (1, 2, 3)
    ]
    assert chosen(*layers) == {"block4_conv1": 1.0, "block4_conv2": 1.5, "block4_conv3": 2.0}


@pytest.mark.parametrize("strides", [(2, 4), (None, None)])
def test_default_layers_of_any_size_and_of_maps_of_unknown_stride(strides: tuple[int | None, int | None]) -> None:
    first, second = strides
    assert chosen(layer("a", "conv", 30, first), layer("b", "activation", 30, first), layer("c", "conv", 15, second)) == {
        "a": 1.0,
        "b": 1.5,
    }
    assert chosen(layer("a", "conv", None, None), layer("b", "conv", None, None)) == {"a": 1.0, "b": 1.5}


def test_one_map_size_alone_and_none() -> None:
    assert chosen(layer("a", "conv", 30, 1)) == {"a": 1.0}
    with pytest.raises(UnsuitableLayer, match="no layer with a spatial map to dream of"):
        chosen(layer("dense", "dense", 0, None))


def test_resolved_parameters_are_complete_and_stay() -> None:
    params = DeepDream().resolve(published(), LIMITS)
    assert params.layers == {"block5_conv1": 1.0, "block5_conv3": 1.5, "base/conv": 2.0}  # all strides of the tiny model are 1
    assert params.size == 512
    assert params.resolve(published(), LIMITS) == params
    assert DeepDream.model_validate_json(params.model_dump_json()) == params
    own = DeepDream(layers={"base/conv": -2.0, "block5_conv1": 1.0}, size=100).resolve(published(), LIMITS)
    assert (own.layers, own.size) == ({"base/conv": -2.0, "block5_conv1": 1.0}, 100)


@pytest.mark.parametrize(
    ("params", "error", "pointer", "words"),
    [
        ({"layers": {"block5_conv2": 1}}, UnknownLayer, "/params/layers", "block5_conv1"),
        ({"layers": {"average": 1}}, UnsuitableLayer, "/params/layers", r"no spatial map.*base/conv"),
        ({"size": 513}, LimitExceeded, "/params/size", "at most 512, but got 513"),
        ({"steps": 1000}, LimitExceeded, "/params/steps", "at most 2,048, but got 3,000"),
        ({"jitter": 20, "size": 20}, InvalidParameters, "/params/jitter", "smaller than the picture"),
    ],
)
def test_what_a_model_cannot_do_is_refused(params: dict[str, Any], error: type[Exception], pointer: str, words: str) -> None:
    with pytest.raises(error, match=words) as raised:
        DeepDream.model_validate(params).resolve(published(), LIMITS)
    assert getattr(raised.value, "pointer", None) == pointer


def test_work_is_bounded_over_all_octaves() -> None:
    """The work is 100² · 10 · (1 + 1/4) = 125,000."""
    params = DeepDream(size=100, steps=10, octaves=2, octave_scale=2)
    params.resolve(published(), MethodLimits(max_synthesis_work=125_000))
    with pytest.raises(LimitExceeded, match="125,000"):
        params.resolve(published(), MethodLimits(max_synthesis_work=124_999))
    with pytest.raises(LimitExceeded, match="at most 1, but got 2"):
        DeepDream(layers={"block5_conv1": 1, "block5_conv3": 1}).resolve(published(), MethodLimits(max_layers=1))


def test_a_layer_behind_a_flatten_has_one_size() -> None:
    layers = (
        layer("conv", "conv", 30, 1, inbound=()),
        layer("flat", "reshape", 0, None, class_name="Flatten", inbound=("conv",)),
        layer("again", "conv", 5, None, inbound=("flat",)),
    )
    model = published(layers=layers, input=InputSpec(name="input", height=30, width=30, channels=3))
    assert default_layers(model.description) == {"conv": 1.0}
    same_size = (*layers, layer("behind", "conv", 30, 1, inbound=("flat",)))
    assert default_layers(published(layers=same_size, input=model.description.input).description) == {"conv": 1.0}
    with pytest.raises(UnsuitableLayer, match="needs the model's own input size, 30×30"):
        DeepDream(layers={"again": 1.0}).resolve(model, LIMITS)


@pytest.mark.parametrize(
    "params",
    [
        {"layers": {}},
        {"layers": {"conv": 0}},
        {"layers": {"conv": float("nan")}},
        {"layers": ["conv"]},
        {"octaves": 0},
        {"octave_scale": 1},
        {"step_size": 0},
        {"steps": 0},
        {"size": 3},
        {"octave": 3},
    ],
)
def test_what_makes_no_sense_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DeepDream.model_validate(params)


def test_the_tile_follows_from_the_products_of_the_layers_up_to_the_last_named_one() -> None:
    """The input has 20 × 30 pixels. Layer a has 150 positions, so 600,000 parameters are 150,000 products for each pixel; b has as many."""

    def costly(path: str, shape: tuple[int | None, int | None, int], parameters: int, stride: int) -> Layer:
        field = ReceptiveField(size=(3, 3), stride=(stride, stride))
        return layer(path, "conv", 1, 1).model_copy(update={"output_shape": shape, "parameters": parameters, "receptive_field": field})

    a, b = costly("a", (10, 15, 4), 600_000, 2), costly("b", (5, 15, 4), 1_200_000, 4)
    model = description(layers=(a, b))
    assert default_tile(model, ["a"]) == 288  # √(1.5e10 / 150,000) is 316, and 9 · 32 = 288
    assert default_tile(model, ["a", "b"]) == 192  # √(1.5e10 / 300,000) is 223, and 6 · 32 = 192
    of_any_size = description(
        layers=(costly("a", (None, None, 4), 600_000, 2),), input=InputSpec(name="x", height=None, width=None, channels=3)
    )
    assert default_tile(of_any_size, ["a"]) == 288
    assert default_tile(description(layers=(costly("a", (10, 15, 4), 10**9, 2),)), ["a"]) == 128
    assert default_tile(description(layers=(costly("a", (10, 15, 4), 9, 2),)), ["a"]) == 4096


def test_a_given_tile_stays() -> None:
    assert DeepDream(tile=64).resolve(published(), LIMITS).tile == 64
    assert (DeepDream().resolve(published(), LIMITS).tile or 0) % 32 == 0
