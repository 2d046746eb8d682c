"""Each layer is described with its activation, its data type and its number of calls."""

from __future__ import annotations

import keras

from tests.workers.models.description.hand_made import described
from tests.zoo import ZOO

layers = keras.layers


def test_activations_types_and_calls() -> None:
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Conv2D(3, 3, padding="same", activation="relu", dtype="mixed_bfloat16", name="twice")
    x = layers.Conv2D(4, 1, activation=layers.LeakyReLU(name="leak"), name="leaky")(x(x(photo)))
    x = keras.ops.softmax(layers.Dense(5, name="scores")(layers.Flatten(name="flat")(layers.ReLU(name="relu")(x))))
    found = {layer.path: (layer.activation, layer.dtype, layer.calls) for layer in described(keras.Model(photo, x)).layers}
    (softmax,) = (path for path in found if path.startswith("softmax"))
    assert found == {
        "photo": (None, "float32", 1),
        "twice": ("relu", "bfloat16", 2),
        "leaky": ("leak", "float32", 1),
        "relu": (None, "float32", 1),
        "flat": (None, "float32", 1),
        "scores": ("linear", "float32", 1),
        softmax: (None, "float32", 1),
    }


def test_layers_inside_a_model_that_is_called_twice() -> None:
    description = described(ZOO["shared_model"]())
    assert {layer.path: layer.calls for layer in description.layers if layer.path.startswith("base")} == {
        "base": 2,
        "base/inner_photo": 2,
        "base/conv1": 2,
        "base/pool1": 2,
        "base/conv2": 2,
    }
    assert description.layer_at("base").dtype == "float32"
