"""A channels_first model becomes a channels_last model that computes the same."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from schemas.errors import ModelLoadFailed
from tests.zoo import seeded
from workers.engine.graph import Graph
from workers.models.conversion.channels_first import to_channels_last

layers = keras.layers
FIRST = "channels_first"


def functional_model() -> keras.Model:
    """Return a model with layers that can work on transposed maps, and layers that must see the map in its old order."""
    photo = keras.Input((3, 13, 9), name="photo")
    x = layers.ZeroPadding2D(((1, 0), (2, 1)), data_format=FIRST, name="pad")(photo)
    x = layers.Conv2D(6, (3, 2), padding="same", data_format=FIRST, activation="relu", name="conv1")(x)
    x = layers.BatchNormalization(axis=1, name="bn")(x)
    x = layers.DepthwiseConv2D((2, 3), data_format=FIRST, name="depthwise")(x)
    x = layers.LayerNormalization(axis=1, name="ln")(x)
    side = layers.SeparableConv2D(5, 1, data_format=FIRST, name="separable")(x)
    x = layers.Concatenate(axis=1, name="both")([x, keras.ops.relu(side)])
    x = layers.Softmax(axis=-2, name="down_the_height")(x)
    x = layers.AveragePooling2D((2, 1), data_format=FIRST, name="pool")(x)
    x = x * 3 + layers.Dropout(0.5)(layers.Conv2D(11, 1, data_format=FIRST, name="conv2")(x))
    x = layers.Dense(4, name="along_the_width")(x)
    x = layers.Conv2DTranspose(7, (2, 3), strides=(1, 2), data_format=FIRST, name="transposed")(x)
    rows = layers.Flatten(data_format="channels_last", name="by_channel")(x)
    spots = layers.Flatten(data_format=FIRST, name="by_position")(x)
    gap = layers.GlobalAveragePooling2D(data_format=FIRST, keepdims=True, name="gap")(x)
    numbers = [layers.Dense(5)(each) for each in (rows, spots, layers.Reshape((7,))(gap))]
    return keras.Model(photo, layers.Add(name="scores")(numbers))


def nested_model() -> keras.Model:
    inner = keras.Input((3, 13, 9), name="inner")
    base = keras.Model(inner, layers.Conv2D(4, 3, data_format=FIRST, name="conv")(inner), name="base")
    stack = [layers.MaxPooling2D(2, data_format=FIRST, name="pool"), layers.Flatten(name="flatten"), layers.Dense(3, name="scores")]
    return keras.Sequential([keras.Input((3, 13, 9), name="photo"), base, *stack])


def shared_model() -> keras.Model:
    photo, mask = keras.Input((1, 13, 9), name="photo"), keras.Input((4, 13, 9), name="mask")
    conv = layers.Conv2D(4, 3, padding="same", data_format=FIRST, name="conv")
    again = layers.Conv2D(4, 3, padding="same", data_format=FIRST, name="again")
    x = again(again(layers.Multiply(name="masked")([conv(photo), mask])))
    return keras.Model([photo, mask], layers.Dense(2, name="scores")(layers.GlobalMaxPooling2D(data_format=FIRST, name="top")(x)))


@pytest.mark.parametrize("build", [functional_model, nested_model, shared_model])
def test_it_computes_the_same(build: Callable[[], keras.Model]) -> None:
    model = seeded(build())
    photos = [np.random.default_rng(0).normal(size=(2, *tensor.shape[1:])).astype(np.float32) for tensor in model.inputs]
    # TensorFlow with oneDNN has convolutions of both layouts on a CPU, so the old model is the reference.
    expected = np.asarray(model(photos if len(photos) > 1 else photos[0]))
    converted = to_channels_last(model)
    transposed = [
        photo.transpose(0, 2, 3, 1) if tuple(new.shape) != tuple(old.shape) else photo
        for photo, new, old in zip(photos, converted.inputs, model.inputs, strict=True)
    ]
    assert transposed[0].shape[1:] == (13, 9, photos[0].shape[1])
    got = np.asarray(converted(transposed if len(transposed) > 1 else transposed[0]))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    assert np.ptp(expected) > 0.1
    assert all(layer.data_format != FIRST for layer in _all_layers(converted) if hasattr(layer, "data_format"))


def _all_layers(model: keras.Model) -> list[keras.Layer]:
    return [layer.layer for layer in Graph(model).layers]


def test_paths_do_not_change_and_maps_are_h_w_k() -> None:
    shapes = {layer.path: layer.output_shape[1:] for layer in Graph(to_channels_last(nested_model())).layers}
    assert shapes == {
        "photo": (13, 9, 3),
        "base/inner": (13, 9, 3),
        "base/conv": (11, 7, 4),
        "base": (11, 7, 4),
        "pool": (5, 3, 4),
        "flatten_channels_first": (4, 5, 3),
        "flatten": (60,),
        "scores": (3,),
    }


def test_a_channels_last_model_is_retransposed_unchanged() -> None:
    model = keras.Sequential([keras.Input((13, 9, 3)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)])
    assert to_channels_last(model) is model


def test_a_softmax_over_the_width_is_refused() -> None:
    photo = keras.Input((3, 13, 9))
    model = keras.Model(photo, layers.Conv2D(2, 3, data_format=FIRST, activation="softmax", name="odd")(photo))
    with pytest.raises(ModelLoadFailed, match=r"'odd' is channels_first with a softmax, .* Save the model as channels_last"):
        to_channels_last(model)


def test_tensorflow_can_compute_the_reference() -> None:
    """If TensorFlow has no channels_first convolution on this CPU, `test_it_computes_the_same` has no reference."""
    assert tf.nn.conv2d(tf.ones((1, 1, 3, 3)), tf.ones((3, 3, 1, 1)), 1, "VALID", "NCHW").numpy().item() == 9
