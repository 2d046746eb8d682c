from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import InvalidParameters, LimitExceeded, UnknownChannel, UnknownClass, UnknownLayer, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.synthesis.filters import Filters
from schemas.models import InputSpec, Layer, LayerKind, ModelDescription, Preprocessing, PublishedModel

LIMITS = MethodLimits()
# path, type, output shape, inbound
Rows = list[tuple[str, str, tuple[int | None, ...], tuple[str, ...]]]
VGG: Rows = [
    ("photo", "InputLayer", (224, 224, 3), ()),
    ("conv", "Conv2D", (224, 224, 70), ("photo",)),
    ("flatten", "Flatten", (3512320,), ("conv",)),
    ("fc", "Dense", (12,), ("flatten",)),
    ("predictions", "Dense", (5,), ("fc",)),
]
POOLED: Rows = [
    ("photo", "InputLayer", (224, 224, 3), ()),
    ("conv", "Conv2D", (224, 224, 70), ("photo",)),
    ("gap", "GlobalAveragePooling2D", (1, 1, 70), ("conv",)),
    ("reshape", "Reshape", (70,), ("gap",)),
    ("predictions", "Dense", (5,), ("reshape",)),
]


def model(rows: Rows, size: tuple[int | None, int | None] = (224, 224)) -> PublishedModel:
    layers = tuple(
        Layer(
            path=path,
            type=kind,
            kind=LayerKind.OTHER,
            output_shape=shape,
            parameters=0,
            channels=shape[-1],
            receptive_field=None,
            inbound=inbound,
            cam_able=len(shape) == 3,
        )
        for path, kind, shape, inbound in rows
    )
    description = ModelDescription(
        name="tiny",
        source="file",
        input=InputSpec(name="photo", height=size[0], width=size[1], channels=3),
        preprocessing=Preprocessing(),
        classes=5,
        head="softmax",
        outputs=("predictions",),
        fingerprint="0" * 64,
        parameters=0,
        default_layer="conv",
        layers=layers,
    )
    return PublishedModel(description=description, labels=("a", "b", "c", "d", "e"), digest="0")


def resolve(rows: Rows = POOLED, input_size: tuple[int | None, int | None] = (224, 224), **params: Any) -> Filters:
    return Filters.model_validate(params).resolve(model(rows, input_size), LIMITS)


def test_what_is_resolved_is_complete_and_resolves_to_itself() -> None:
    params = resolve()
    assert params.layer == "conv"
    assert params.channels == tuple(range(16))
    assert (params.parametrisation, params.size, params.steps, params.learning_rate) == ("fourier", 128, 128, 0.05)
    assert params.transforms is not None
    assert params.regularisers is not None
    assert params.resolve(model(POOLED), LIMITS) == params


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


def test_one_channel_of_dlwp1_is_150_pixels_and_several_are_64() -> None:
    assert resolve(preset="dlwp1", channels=[5]).size == 150
    assert resolve(preset="dlwp1", channels=[5, 6]).size == 64
    assert resolve(preset="dlwp1", channels=[5], size=90).size == 90


def test_classes_by_index_and_label_once_each() -> None:
    assert resolve(class_index="c").class_index == 2
    assert resolve(class_index=["c", 0, 2, "A"]).class_index == (2, 0)


def test_a_target_behind_a_flatten_gets_the_models_own_size() -> None:
    assert resolve(VGG, class_index=1).size == 224
    assert resolve(VGG, layer="fc", channels=2).size == 224
    assert resolve(VGG, class_index=1, size=224).size == 224
    assert resolve(VGG, layer="conv", channels=2).size == 128
    assert resolve(VGG, input_size=(None, None), class_index=1).size == 128  # whoever built it says that any size goes
    assert resolve(POOLED, class_index=1).size == 128
    with pytest.raises(InvalidParameters, match="needs the model's own input size, 224×224") as caught:
        resolve(VGG, class_index=1, preset="lucid").changed(size=128).resolve(model(VGG), LIMITS)
    assert (caught.value.pointer, caught.value.allowed, caught.value.got) == ("/params/size", "224", "128")
    with pytest.raises(InvalidParameters, match="not square"):
        resolve(VGG, input_size=(224, 192), class_index=1)


def test_the_part_seen_is_of_the_size_that_a_target_needs_and_the_image_of_any() -> None:
    def sizes(rows: Rows, **params: Any) -> tuple[int | None, int | None]:
        resolved = resolve(rows, preset="maco", **params)
        assert resolved.transforms is not None
        assert resolved.resolve(model(rows), LIMITS) == resolved
        return resolved.size, resolved.transforms.view

    assert sizes(POOLED) == (224, 128)
    assert sizes(POOLED, class_index=1, size=300) == (300, 128)
    assert sizes(VGG, layer="conv", channels=2) == (224, 128)
    assert sizes(VGG, class_index=1, size=300) == (300, 224)
    assert sizes(VGG, class_index=1, transforms={"crop": [0.3, 0.4], "view": 224}) == (224, 224)
    assert sizes(POOLED, size=90, transforms={"crop": [0.3, 0.4]}) == (90, 90)
    assert sizes(POOLED, size=90, transforms={}) == (90, None)
    with pytest.raises(InvalidParameters, match="needs the model's own input size, 224×224") as caught:
        resolve(VGG, class_index=1, preset="maco", transforms={"crop": [0.5, 0.9], "view": 100})
    assert (caught.value.pointer, caught.value.allowed, caught.value.got) == ("/params/transforms/view", "224", "100")


def test_maco_moves_phases() -> None:
    params = resolve(preset="maco")
    assert (params.parametrisation, params.size, params.steps, params.learning_rate) == ("phase", 224, 320, 0.1)
    assert params.channels == tuple(range(16))
    for parametrisation in ("pixel", "fourier", "phase"):
        for preset in ("lucid", "maco"):
            assert resolve(preset=preset, parametrisation=parametrisation).parametrisation == parametrisation


@pytest.mark.parametrize(
    ("transforms", "words"),
    [
        ({"crop": [0.9, 0.5]}, "from the smaller share to the larger"),
        ({"crop": [0.0, 0.5]}, "greater than or equal to 0.05"),
        ({"crop": [0.5, 1.1]}, "less than or equal to 1"),
        ({"crop": [0.5]}, "Field required"),
        ({"view": 64}, "give crop too"),
        ({"noise": -0.1}, "greater than or equal to 0"),
    ],
)
def test_transforms_that_make_no_sense(transforms: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Filters.model_validate({"transforms": transforms})


def test_a_neuron_needs_a_map_and_its_channel() -> None:
    assert resolve(neuron=[3, 4, 69]).neuron == (3, 4, 69)
    with pytest.raises(UnsuitableLayer, match="spatial map"):
        resolve(VGG, layer="fc", neuron=[0, 0, 1])
    with pytest.raises(UnknownChannel):
        resolve(neuron=[0, 0, 70])


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"preset": "dlwp1", "parametrisation": "fourier"}, "defined on pixels"),
        ({"preset": "keras_blog", "parametrisation": "phase"}, "with `phase` use preset 'lucid' or 'maco'"),
        ({"regularisers": {"blur": 1.0}}, "blur is of pixels"),
        ({"preset": "maco", "regularisers": {"blur": 1.0}}, "blur is of pixels: with parametrisation `phase`"),
        ({"preset": "keras_io", "size": 50}, "more than 50"),
        ({"transforms": {"jitter": 16}, "size": 16}, "jitter must be smaller"),
    ],
)
def test_what_does_not_go_together(params: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidParameters, match=words):
        resolve(**params)


@pytest.mark.parametrize(
    "params", [{"channels": 2, "neuron": [0, 0, 0]}, {"class_index": 1, "layer": "conv"}, {"whole_layer": True, "class_index": 1}]
)
def test_one_objective_only(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Filters.model_validate(params)


@pytest.mark.parametrize(
    "params",
    [
        {"size": 513},
        {"steps": 2049},
        {"channels": "all", "size": 512},
        {"class_index": [0, 1, 2], "size": 600},
        {"transforms": {"crop": [0.5, 1], "view": 513}},
        {"transforms": {"crop": [0.5, 1], "view": 512}, "steps": 2048, "channels": 3, "size": 32},
    ],
)
def test_limits(params: dict[str, Any]) -> None:
    with pytest.raises(LimitExceeded, match="at most"):
        resolve(**params)


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


def test_a_sum_is_of_the_models_own_size_where_one_of_its_parts_is() -> None:
    any_part: dict[str, Any] = {"objectives": [{"layer": "conv", "channel": 1}, {"layer": "fc", "channel": 1}]}
    assert Filters.model_validate(any_part).resolve(model(VGG), LIMITS).size == 224
    with pytest.raises(InvalidParameters, match="Layer 'fc'"):
        Filters.model_validate({**any_part, "size": 100}).resolve(model(VGG), LIMITS)


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
    ("params", "said"),
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
def test_directions_and_sums_that_make_no_sense(params: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Filters.model_validate(params)


def test_diverse_images_count() -> None:
    params = Filters.model_validate({"channels": [3], "diversity": {"count": 5}, "preset": "dlwp1"})
    resolved = params.resolve(model(POOLED), MethodLimits(max_filters=5))
    assert (resolved.channels, resolved.size) == ((3,), 64)  # not the size of one image alone
    assert resolved.resolve(model(POOLED), LIMITS) == resolved
    with pytest.raises(LimitExceeded, match="at most 4, got 5"):
        params.resolve(model(POOLED), MethodLimits(max_filters=4))
