"""Every Keras layer and operation has a kind."""

from __future__ import annotations

import keras
import pytest

from workers.engine.keras_internals import producer_of
from workers.engine.layer_kinds import kind_of

layers = keras.layers


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (layers.InputLayer((3,)), "input"),
        (layers.SeparableConv2D(1, 1), "conv"),
        (layers.Conv2DTranspose(1, 1), "conv"),
        (layers.Dense(1), "dense"),
        (layers.LeakyReLU(), "activation"),
        (layers.Activation("relu"), "activation"),
        (layers.GroupNormalization(), "normalization"),
        (layers.GlobalMaxPooling2D(), "pooling"),
        (layers.Concatenate(), "merge"),
        (layers.ZeroPadding2D(), "reshape"),
        (layers.UpSampling2D(), "reshape"),
        (layers.SpatialDropout2D(0.1), "regularization"),
        (layers.Normalization(), "preprocessing"),
        (layers.RandomFlip(), "preprocessing"),
        (layers.LSTM(1), "recurrent"),
        (layers.MultiHeadAttention(1, 1), "attention"),
        (keras.Sequential(), "model"),
        (layers.Embedding(1, 1), "other"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_kinds_of_layers(layer: keras.Layer, kind: str) -> None:
    assert kind_of(layer) == kind


def test_kinds_of_operations_and_of_a_subclass() -> None:
    class MyConv(layers.Conv2D):
        pass

    x = keras.Input((5, 5, 2))
    made = {
        "activation": keras.ops.relu(x),
        "merge": x + x,
        "reshape": keras.ops.reshape(x, (-1, 50)),
        "pooling": keras.ops.max_pool(x, 2),
        "other": keras.ops.cos(x),
    }
    assert {kind: kind_of(producer_of(tensor)) for kind, tensor in made.items()} == {kind: kind for kind in made}
    assert kind_of(MyConv(1, 1)) == "conv"
