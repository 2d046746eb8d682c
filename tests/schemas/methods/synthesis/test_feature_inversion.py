from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import LimitExceeded, UnknownLayer, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.synthesis.feature_inversion import FeatureInversion, default_layers
from schemas.methods.synthesis.layers_by_map_size import layers_by_map_size
from schemas.models import InputSpec, LayerKind
from tests.schemas.methods.synthesis.test_deep_dream import layer
from tests.schemas.tiny import description, published

LIMITS = MethodLimits()


def test_default_layers_are_the_last_of_each_size() -> None:
    layers = (
        layer("photo", "input", 224, 1),
        layer("stem", "conv", 112, 2),
        layer("stem_relu", "activation", 112, 2),
        layer("down", "pooling", 28, 8),
        layer("deep", "conv", 28, 8),
        layer("stem_again", "conv", 112, 2),
        layer("flat", "dense", 0, None),
    )
    assert default_layers(description(layers=layers)) == ("stem_again", "deep")
    by_map = layers_by_map_size(description(layers=layers), (LayerKind.CONV,))
    assert [[each.path for each in group] for group in by_map] == [["stem", "stem_again"], ["deep"]]
    with pytest.raises(UnsuitableLayer, match="Name a layer"):
        default_layers(description(layers=layers[-1:]))


@pytest.mark.parametrize(
    ("asked", "resolved"),
    [
        (None, ("base/conv",)),
        ("average", "average"),
        (["base/conv", "block5_conv1", "base/conv"], ("base/conv", "block5_conv1")),
    ],
)
def test_layers_are_kept_in_order_and_any_kind_of_layer_will_do(asked: Any, resolved: Any) -> None:
    params = FeatureInversion(layer=asked).resolve(published(), LIMITS)
    assert params.layer == resolved
    assert params.resolve(published(), LIMITS) == params
    assert FeatureInversion.model_validate_json(params.model_dump_json()) == params


@pytest.mark.parametrize(
    ("params", "limits", "pointer", "words"),
    [
        ({"steps": 2049}, {}, "/params/steps", "at most 2,048, but got 2,049"),
        ({"layer": ["average", "base/conv"]}, {"max_layers": 1}, "/params/layer", "at most 1, but got 2"),
        ({"layer": ["average", "base/conv"], "steps": 10}, {"max_synthesis_work": 11_999}, "/params", "at most 11,999, but got 12,000"),
        ({}, {"max_synthesis_size": 29}, "/model", "side of the model's input may be at most 29, but got 30"),
    ],
)
def test_bounds(params: dict[str, Any], limits: dict[str, int], pointer: str, words: str) -> None:
    """The tiny model's input is 20 × 30, so the work is 20 · 30 · 10 · 2 = 12,000."""
    with pytest.raises(LimitExceeded, match=words) as raised:
        FeatureInversion.model_validate(params).resolve(published(), MethodLimits.model_validate(limits))
    assert raised.value.pointer == pointer


def test_a_model_of_any_size_is_counted_at_its_largest() -> None:
    free = published(input=InputSpec(name="input", height=None, width=None, channels=3))
    work = 512 * 512 * 10
    params = FeatureInversion(steps=10, layer="base/conv")
    params.resolve(free, MethodLimits(max_synthesis_work=work))
    with pytest.raises(LimitExceeded):
        params.resolve(free, MethodLimits(max_synthesis_work=work - 1))


def test_unknown_layers_and_nonsense_are_refused() -> None:
    with pytest.raises(UnknownLayer, match="block5_conv1"):
        FeatureInversion(layer="block5_conv2").resolve(published(), LIMITS)
    for params in ({"layer": []}, {"steps": 0}, {"objective": "l1"}, {"learning_rate": 0}, {"total_variation": -1}, {"layers": ["a"]}):
        with pytest.raises(ValidationError):
            FeatureInversion.model_validate(params)
