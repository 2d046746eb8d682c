from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import InvalidParameters, LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.synthesis.filters import Filters
from tests.schemas.methods.synthesis.small_models import LIMITS, POOLED, VGG, LayerRows, model, resolve


def test_what_is_resolved_is_complete_and_resolves_to_itself() -> None:
    params = resolve()
    assert params.layer == "conv"
    assert params.channels == tuple(range(16))
    assert (params.parametrisation, params.size, params.steps, params.learning_rate) == ("fourier", 128, 128, 0.05)
    assert params.transforms is not None
    assert params.regularisers is not None
    assert params.resolve(model(POOLED), LIMITS) == params


def test_one_channel_of_dlwp1_is_150_pixels_and_several_are_64() -> None:
    assert resolve(preset="dlwp1", channels=[5]).size == 150
    assert resolve(preset="dlwp1", channels=[5, 6]).size == 64
    assert resolve(preset="dlwp1", channels=[5], size=90).size == 90


def test_a_target_behind_a_flatten_gets_the_models_own_size() -> None:
    assert resolve(VGG, class_index=1).size == 224
    assert resolve(VGG, layer="fc", channels=2).size == 224
    assert resolve(VGG, class_index=1, size=224).size == 224
    assert resolve(VGG, layer="conv", channels=2).size == 128
    assert resolve(VGG, input_size=(None, None), class_index=1).size == 128  # such a model is declared to take any size
    assert resolve(POOLED, class_index=1).size == 128
    with pytest.raises(InvalidParameters, match="needs the model's own input size, 224×224") as caught:
        resolve(VGG, class_index=1, preset="lucid").changed(size=128).resolve(model(VGG), LIMITS)
    assert (caught.value.pointer, caught.value.allowed, caught.value.got) == ("/params/size", "224", "128")
    assert resolve(VGG, input_size=(224, 192), class_index=1).size == (224, 192)
    assert resolve(VGG, input_size=(224, 192), class_index=1, size=(224, 192)).size == (224, 192)
    with pytest.raises(InvalidParameters, match=r"own input size, 224×192 \(height × width\)") as caught:
        resolve(VGG, input_size=(224, 192), class_index=1, size=(192, 224))
    assert (caught.value.pointer, caught.value.allowed, caught.value.got) == ("/params/size", "[224, 192]", "(192, 224)")


def test_an_image_that_is_not_square_is_counted_by_its_pixels() -> None:
    resolved = resolve(POOLED, size=(32, 48), channels=2)
    assert (resolved.sides(), resolved.view_sides(), resolved.pixels()) == ((32, 48), (32, 48), 32 * 48)
    seen = resolve(VGG, input_size=(112, 224), class_index=1, preset="maco")
    assert seen.size == (112, 224)  # the longer side is the preset's, and the aspect ratio that of what the model sees
    assert seen.view_sides() == (112, 224)
    with pytest.raises(LimitExceeded, match="at most 512"):
        resolve(POOLED, size=(32, 600), channels=2)


def test_the_part_seen_is_of_the_size_that_a_target_needs_and_the_image_of_any() -> None:
    def sizes(rows: LayerRows, **params: Any) -> tuple[Any, Any]:
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


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"preset": "dlwp1", "parametrisation": "fourier"}, "defined on pixels"),
        ({"preset": "keras_blog", "parametrisation": "phase"}, "Use preset 'lucid' or 'maco' with the parametrisation 'phase'"),
        ({"regularisers": {"blur": 1.0}}, "blur works on pixels only"),
        ({"preset": "maco", "regularisers": {"blur": 1.0}}, "Leave it out with the parametrisation 'phase'"),
        ({"preset": "keras_io", "size": 50}, "more than 50"),
        ({"transforms": {"jitter": 16}, "size": 16}, "jitter must be smaller"),
    ],
)
def test_what_does_not_go_together(params: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidParameters, match=words):
        resolve(**params)


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


def test_a_sum_is_of_the_models_own_size_where_one_of_its_parts_is() -> None:
    any_part: dict[str, Any] = {"objectives": [{"layer": "conv", "channel": 1}, {"layer": "fc", "channel": 1}]}
    assert Filters.model_validate(any_part).resolve(model(VGG), LIMITS).size == 224
    with pytest.raises(InvalidParameters, match="Layer 'fc'"):
        Filters.model_validate({**any_part, "size": 100}).resolve(model(VGG), LIMITS)


def test_diverse_images_count() -> None:
    params = Filters.model_validate({"channels": [3], "diversity": {"count": 5}, "preset": "dlwp1"})
    resolved = params.resolve(model(POOLED), MethodLimits(max_filters=5))
    assert (resolved.channels, resolved.size) == ((3,), 64)  # 64 is the size for several images
    assert resolved.resolve(model(POOLED), LIMITS) == resolved
    with pytest.raises(LimitExceeded, match="at most 4, but got 5"):
        params.resolve(model(POOLED), MethodLimits(max_filters=4))
