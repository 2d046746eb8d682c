"""The parameters of `occlusion` and `rise`: which values are filled in, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import errors
from schemas.limits import MethodLimits
from schemas.methods.perturbation.occlusion import Occlusion
from schemas.methods.perturbation.rise import Rise
from schemas.models import InputSpec
from tests.schemas.tiny import published

# The model's input is 20 × 30.
ANY_SIZE = {"input": InputSpec(name="input", height=None, width=None, channels=3)}


def occlusion(model: dict[str, Any] | None = None, limits: MethodLimits | None = None, **params: Any) -> Occlusion:
    return Occlusion.model_validate(params).resolve(published(**(model or {})), limits or MethodLimits())


@pytest.mark.parametrize(
    ("given", "window", "stride"),
    [
        ({}, (5, 8), (2, 2)),  # ⌈20/4⌉ and ⌈30/4⌉, and a quarter of each
        ({"window": 7}, (7, 7), (2, 2)),
        ({"window": [5, 30]}, (5, 30), (2, 8)),
        ({"stride": 1}, (5, 8), (1, 1)),
        ({"window": [20, 1], "stride": [20, 1]}, (20, 1), (20, 1)),
    ],
)
def test_window_and_stride_are_filled_in(given: dict[str, Any], window: tuple[int, int], stride: tuple[int, int]) -> None:
    params = occlusion(**given)
    assert (params.window, params.stride) == (window, stride)
    assert params.geometry(20, 30) == (window, stride)
    assert params.resolve(published(), MethodLimits()) == params
    assert params.class_index is None


def test_for_a_model_of_any_size_the_image_decides_window_and_stride() -> None:
    params = occlusion(ANY_SIZE)
    assert (params.window, params.stride) == (None, None)
    assert params.geometry(64, 96) == ((16, 24), (4, 6))
    given = occlusion(ANY_SIZE, window=[40, 50])
    assert (given.window, given.stride) == ((40, 50), (10, 13))
    assert given.geometry(32, 96) == ((32, 50), (10, 13))
    assert given.geometry(10, 7) == ((10, 7), (10, 7))


@pytest.mark.parametrize(
    ("model", "given", "error", "pointer"),
    [
        ({}, {"window": 21}, errors.InvalidParameters, "/params/window"),
        ({}, {"window": [20, 31]}, errors.InvalidParameters, "/params/window"),
        ({}, {"window": [3, 4], "stride": [3, 5]}, errors.InvalidParameters, "/params/stride"),
        ({}, {"stride": 6}, errors.InvalidParameters, "/params/stride"),
        (ANY_SIZE, {"stride": 4}, errors.InvalidParameters, "/params/window"),
        (ANY_SIZE, {"window": 4, "stride": 4}, errors.LimitExceeded, "/params/stride"),  # the largest image has 128² windows
        ({}, {"class_index": 5}, errors.UnknownClass, "/params/class_index"),
        ({}, {"sign": -1}, errors.InvalidParameters, "/params/sign"),
    ],
)
def test_values_that_the_model_does_not_allow_are_refused(
    model: dict[str, Any], given: dict[str, Any], error: type[errors.VisualizationError], pointer: str
) -> None:
    with pytest.raises(error) as raised:
        occlusion(model, **given)
    assert raised.value.pointer == pointer


def test_the_number_of_covered_images_is_limited() -> None:
    # windows of 5 × 8 with a stride of 1: 16 · 23 = 368
    assert occlusion(stride=1, limits=MethodLimits(max_masks=368)).stride == (1, 1)
    with pytest.raises(errors.LimitExceeded, match="at most 367 covered images, got 368") as raised:
        occlusion(stride=1, limits=MethodLimits(max_masks=367))
    assert (raised.value.pointer, raised.value.allowed, raised.value.got) == ("/params/stride", "at most 367", "368")
    with pytest.raises(errors.LimitExceeded) as raised:
        Rise(masks=8193).resolve(published(), MethodLimits())
    assert raised.value.pointer == "/params/masks"
    assert Rise(masks=8192, class_index="espresso").resolve(published(), MethodLimits()).class_index == 4
