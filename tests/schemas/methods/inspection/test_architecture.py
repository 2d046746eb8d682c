from __future__ import annotations

import pytest

from schemas.errors import InvalidParameters, UnknownLayer
from schemas.limits import MethodLimits
from schemas.methods.inspection.architecture import Architecture
from tests.schemas.tiny import published


def resolved(**params: object) -> Architecture:
    return Architecture.model_validate(params).resolve(published(), MethodLimits())


@pytest.mark.parametrize("name", ["first_layer", "last_layer"])
def test_a_layer_that_is_not_there(name: str) -> None:
    with pytest.raises(UnknownLayer, match="Nearest: block5_conv") as caught:
        resolved(**{name: "block5_conv9"})
    assert caught.value.pointer == f"/params/{name}"


def test_the_first_layer_comes_before_the_last() -> None:
    assert resolved(first_layer="base/conv", last_layer="base/conv").first_layer == "base/conv"
    assert resolved(first_layer="block5_conv1", last_layer="average").last_layer == "average"
    with pytest.raises(InvalidParameters, match="'average' comes after 'block5_conv1'") as caught:
        resolved(first_layer="average", last_layer="block5_conv1")
    assert caught.value.pointer == "/params/first_layer"
