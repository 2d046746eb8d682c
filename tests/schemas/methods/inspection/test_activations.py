from __future__ import annotations

import pytest
from pydantic import ValidationError

from schemas.errors import UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.inspection.activations import Activations
from schemas.models import LayerKind
from tests.schemas.tiny import description, layer, published


@pytest.mark.parametrize("channels", [0, -1, [], [-1]])
def test_at_least_one_channel_is_drawn(channels: object) -> None:
    with pytest.raises(ValidationError):
        Activations.model_validate({"layer": "base/conv", "channels": channels})


def test_a_layer_with_fewer_channels_than_asked_for_is_drawn_whole() -> None:
    asked = Activations(layer=("block5_conv3", "base/conv"), channels=5)
    assert asked.resolve(published(), MethodLimits()) == asked


def test_one_number_an_image_is_nothing_to_draw() -> None:
    scalar = layer("mean", LayerKind.RESHAPE, (1,), ("predictions",)).model_copy(update={"output_shape": (), "channels": None})
    model = published(layers=(*description().layers, scalar))
    with pytest.raises(UnsuitableLayer, match=r"'mean'.*nothing to draw"):
        Activations(layer="mean").resolve(model, MethodLimits())
