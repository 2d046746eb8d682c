from __future__ import annotations

import pytest

from schemas.errors import LimitExceeded, UnknownChannel, UnknownLayer, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.inspection.weights import Weights
from schemas.models import Layer, LayerKind, PublishedModel
from tests.schemas.tiny import layer, published


def model(*layers: Layer) -> PublishedModel:
    return published(layers=layers)


def weightless(path: str, kind: LayerKind = LayerKind.POOLING) -> Layer:
    return layer(path, kind, (5, 7, 4), ()).model_copy(update={"parameters": 0})


CONV, DENSE = layer("conv", LayerKind.CONV, (5, 7, 4), ()), layer("dense", LayerKind.DENSE, (5,), ())
NESTED = layer("base", LayerKind.MODEL, (5, 7, 4), ())


def resolved(params: Weights, *layers: Layer, **limits: int) -> Weights:
    return params.resolve(model(*layers), MethodLimits(**limits))


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ((weightless("pool"), DENSE, CONV), "conv"),
        ((weightless("pool", LayerKind.CONV), NESTED, DENSE), "dense"),
    ],
)
def test_the_default_is_the_first_convolution_with_weights(layers: tuple[Layer, ...], expected: str) -> None:
    assert resolved(Weights(), *layers).layer == expected


def test_a_layer_without_weights_is_refused_with_some_that_have_them() -> None:
    with pytest.raises(UnsuitableLayer, match=r"'pool' \(MaxPooling2D\) has no weights. Layers that have weights: conv, dense") as caught:
        resolved(Weights(layer="pool"), CONV, weightless("pool"), NESTED, DENSE)
    assert caught.value.pointer == "/params/layer"


def test_a_model_without_weights() -> None:
    with pytest.raises(UnsuitableLayer, match="no layer with weights"):
        resolved(Weights(), weightless("pool"))


def test_a_nested_model_names_its_layers() -> None:
    inner = layer("base/conv", LayerKind.CONV, (5, 7, 4), ())
    with pytest.raises(UnsuitableLayer, match=r"'base' is a whole model\. Name one of its layers with weights: base/conv\."):
        resolved(Weights(layer="base"), weightless("base/pool"), inner, NESTED)
    assert resolved(Weights(layer="base/conv"), inner, NESTED).layer == "base/conv"


def test_wrong_names_and_filters() -> None:
    with pytest.raises(UnknownLayer, match="Nearest: conv"):
        resolved(Weights(layer="conf"), CONV)
    with pytest.raises(UnknownChannel, match="0 to 3, but got 4"):
        resolved(Weights(layer="conv", filters=(3, 4)), CONV)
    assert resolved(Weights(layer="conv", filters=(3, 0)), CONV).filters == (3, 0)
    assert resolved(Weights(layer="conv", filters=99), CONV).filters == 99


def test_a_very_large_layer_is_refused_with_the_limit() -> None:
    assert resolved(Weights(), CONV, max_layer_weights=9).layer == "conv"
    with pytest.raises(LimitExceeded, match="has 9 weights, but one job shows at most 8"):
        resolved(Weights(), CONV, max_layer_weights=8)
