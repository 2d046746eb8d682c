from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from schemas.errors import UnknownLayer
from tests.workers.engine.support import probe_of, zoo_probe
from tests.zoo import ZOO, seeded


def test_weights_are_those_of_the_layer() -> None:
    model = ZOO["functional"]()
    found = probe_of(model).weights("conv2")
    assert list(found) == ["kernel", "bias"]
    kernel, bias = model.get_layer("conv2").get_weights()
    np.testing.assert_array_equal(found["kernel"], kernel)
    np.testing.assert_array_equal(found["bias"], bias)
    assert found["kernel"].shape == (3, 2, 6, 8)


def test_weights_inside_a_nested_model() -> None:
    model = ZOO["nested"]()
    found = probe_of(model).weights("base/conv1")
    np.testing.assert_array_equal(found["kernel"], model.get_layer("base").get_layer("conv1").get_weights()[0])
    assert list(found) == ["kernel", "bias"]


@pytest.mark.parametrize(
    ("layer", "names"),
    [
        ("bn1", ["gamma", "beta", "moving_mean", "moving_variance"]),
        ("depthwise", ["kernel", "bias"]),
        ("separable", ["depthwise_kernel", "pointwise_kernel", "bias"]),
        ("conv1", ["kernel"]),
        ("relu1", []),
    ],
)
def test_weights_have_the_names_of_their_variables(layer: str, names: list[str]) -> None:
    assert list(zoo_probe("batch_norm").weights(layer)) == names


def test_composite_layers_name_the_inner_layer_too() -> None:
    photo = keras.Input((5, 7, 3))
    x = layers.Reshape((35, 3))(photo)
    x = layers.MultiHeadAttention(2, 3, name="attend")(x, x)
    x = layers.Bidirectional(layers.LSTM(4, name="inner"), name="both_ways")(x)
    model = seeded(keras.Model(photo, layers.Dropout(0.5, name="drop")(layers.Dense(2, name="scores")(x))))
    probe = probe_of(model)
    attention = probe.weights("attend")
    assert [name for name in attention if name.endswith("kernel")] == [
        "query/kernel",
        "key/kernel",
        "value/kernel",
        "attention_output/kernel",
    ]
    np.testing.assert_array_equal(attention["key/kernel"], model.get_layer("attend").get_weights()[2])
    recurrent = probe.weights("both_ways")
    assert len(recurrent) == 6
    np.testing.assert_array_equal(list(recurrent.values())[4], model.get_layer("both_ways").get_weights()[4])
    assert probe.weights("drop") == {}  # its seed is not a weight


def test_half_precision_comes_as_float32() -> None:
    photo = keras.Input((5, 7, 3))
    model = keras.Model(photo, layers.Conv2D(2, 3, dtype="bfloat16", name="conv")(photo))
    found = probe_of(model).weights("conv")
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}
    assert np.unique(found["kernel"]).size > 10


def test_changing_the_returned_weights_does_not_change_the_model() -> None:
    model = ZOO["functional"]()
    probe = probe_of(model)
    before = model.get_layer("conv1").get_weights()[0]
    probe.weights("conv1")["kernel"][...] = 0
    np.testing.assert_array_equal(model.get_layer("conv1").get_weights()[0], before)


def test_an_unknown_layer_is_refused() -> None:
    with pytest.raises(UnknownLayer, match="base/conv1"):
        zoo_probe("nested").weights("base/conv9")
