"""The default layer is the last useful map, unless the settings name another layer."""

from __future__ import annotations

import keras
import pytest

from schemas.errors import ModelLoadFailed
from tests.workers.models.description.hand_made import classifier, described

layers = keras.layers


def test_the_settings_can_name_the_default_layer() -> None:
    assert described(classifier(), default_layer="pool").default_layer == "pool"
    with pytest.raises(ModelLoadFailed, match=r"name the layer 'pol', which the model does not have\. Nearest: pool"):
        described(classifier(), default_layer="pol")


def test_without_a_class_output_nothing_is_cam_able() -> None:
    model = keras.Sequential([keras.Input((13, 9, 3)), layers.Conv2D(2, 3, name="conv")])
    description = described(model)
    assert (description.head, description.classes, description.default_layer) == ("none", None, "conv")
    assert not any(layer.cam_able for layer in description.layers)


def test_a_map_of_one_position_is_the_default_only_if_there_is_no_other() -> None:
    stack = [layers.Conv2D(4, (13, 9), name="whole"), layers.ReLU(name="relu"), layers.Flatten(), layers.Dense(3)]
    assert described(keras.Sequential([keras.Input((13, 9, 3)), *stack])).default_layer == "relu"


def test_a_model_without_maps_has_no_default_layer() -> None:
    model = keras.Sequential([keras.Input((13, 9, 3)), layers.Rescaling(2.0), layers.Flatten(), layers.Dense(3)])
    assert described(model).default_layer is None
