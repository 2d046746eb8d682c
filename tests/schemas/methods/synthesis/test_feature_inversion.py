from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import InvalidParameters, LimitExceeded, UnknownLayer, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.synthesis.feature_inversion import FeatureInversion, default_layers
from schemas.methods.synthesis.layers_by_map_size import layers_by_map_size
from schemas.models import InputSpec, LayerKind, PublishedModel
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


def _model(height: int | None, width: int | None, **rule: int) -> PublishedModel:
    return published(input=InputSpec(name="photo", height=height, width=width, channels=3, **rule))


def test_a_model_of_any_size_takes_the_size_that_it_can_process() -> None:
    free, strips = _model(None, None, multiple=16, remainder=12, smallest=44, longest=200), _model(32, None)
    for size, model in (([60, 92], free), (44, free), ([32, 100], strips), ([10, 20], _model(10, 20))):
        found = FeatureInversion.model_validate({"size": size}).resolve(model, LIMITS).size
        assert found == (tuple(size) if isinstance(size, list) else size)
    for size, model, got, allowed in (
        ([60, 64], free, "60×64", r"\(multiples of 16 plus 12, at least 44, multiples of 16 plus 12, at least 44\)"),
        (28, free, "28", "multiples of 16"),
        ([33, 100], strips, "33×100", r"\(32, at least 1\)"),
        ([20, 10], _model(10, 20), "20×10", r"\(10, 20\)"),
    ):
        with pytest.raises(InvalidParameters, match=f"takes no images of size {got}. .*{allowed}") as raised:
            FeatureInversion.model_validate({"size": size}).resolve(model, LIMITS)
        assert raised.value.pointer == "/params/size"


@pytest.mark.parametrize(
    ("model", "size", "work"),
    [(_model(None, None), [40, 30], 1200), (_model(None, None), None, 512**2), (_model(None, 20, longest=100), None, 2000)],
)
def test_the_work_is_that_of_the_size_or_of_the_largest_photo(model: PublishedModel, size: list[int] | None, work: int) -> None:
    asked = FeatureInversion.model_validate({"size": size, "steps": 3, "layer": "average"})
    assert asked.resolve(model, MethodLimits(max_synthesis_work=3 * work))
    with pytest.raises(LimitExceeded, match=f"got {3 * work:,}"):
        asked.resolve(model, MethodLimits(max_synthesis_work=3 * work - 1))


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


@pytest.mark.parametrize(
    ("asked", "optimizer"),
    [({}, "lbfgs"), ({"objective": "dot_cosine"}, "adam"), ({"objective": "dot_cosine", "optimizer": "lbfgs"}, "lbfgs")],
)
def test_the_objective_decides_how_it_is_followed(asked: dict[str, str], optimizer: str) -> None:
    assert FeatureInversion.model_validate(asked).resolve(published(), LIMITS).optimizer == optimizer
