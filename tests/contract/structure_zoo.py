"""Small models for ways to put layers together: shared and nested ones, several inputs and outputs, number formats, operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

SIZE = (13, 9)
STRUCTURES: dict[str, Callable[[], keras.Model]] = {}


def structure(build: Callable[[], keras.Model]) -> Callable[[], keras.Model]:
    STRUCTURES[build.__name__] = build
    return build


def _photo(channels: int = 3, name: str = "photo") -> Any:
    return keras.Input((*SIZE, channels), name=name)


def _scores(x: Any, **settings: Any) -> Any:
    return layers.Dense(5, activation="softmax", name="scores", **settings)(layers.Flatten(name="flat")(x))


def _base(name: str = "base") -> keras.Model:
    photo = keras.Input((None, None, 3))
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same", name="conv")(photo))
    return keras.Model(photo, layers.ReLU()(x), name=name)


@structure
def sequential_in_sequential() -> keras.Model:
    inner = keras.Sequential([layers.Conv2D(4, 3, activation="relu", name="conv"), layers.MaxPooling2D((2, 1))], name="inner")
    return keras.Sequential(
        [_photo(), layers.Rescaling(1 / 64), inner, layers.Flatten(), layers.Dense(5, activation="softmax", name="scores")]
    )


@structure
def nested_three_times() -> keras.Model:
    middle_photo = keras.Input((*SIZE, 3))
    middle = keras.Model(middle_photo, layers.Dropout(0.5)(_base()(middle_photo)), name="middle")
    outer_photo = keras.Input((*SIZE, 3))
    outer = keras.Model(outer_photo, middle(layers.Rescaling(1 / 64)(outer_photo)), name="outer")
    photo = _photo()
    return keras.Model(photo, _scores(outer(photo)))


@structure
def shared_convolution() -> keras.Model:
    """The convolution reads two sizes."""
    photo = _photo()
    shared = layers.Conv2D(3, 3, padding="same", activation="relu", name="conv")
    x = shared(photo / 64)
    y = shared(layers.UpSampling2D(2)(x))
    return keras.Model(photo, _scores(layers.Concatenate()([layers.Flatten()(x), layers.Flatten()(y)])))


@structure
def siamese() -> keras.Model:
    left, right, base = _photo(name="left"), _photo(name="right"), _base()
    return keras.Model([left, right], _scores(layers.Subtract()([base(left / 64), base(right / 64)])))


@structure
def inputs_by_name() -> keras.Model:
    inputs = {"photo": _photo(), "metadata": keras.Input((4,), name="metadata")}
    x = layers.Flatten()(_base()(inputs["photo"] / 64))
    return keras.Model(inputs, _scores(layers.Concatenate()([x, layers.Dense(3)(inputs["metadata"])])))


@structure
def outputs_by_name() -> keras.Model:
    photo = _photo()
    x = _base()(photo / 64)
    return keras.Model(photo, {"kind": _scores(x), "age": layers.Dense(1, name="age")(layers.GlobalMaxPooling2D()(x))})


@structure
def nested_model_with_two_outputs() -> keras.Model:
    inner_photo = keras.Input((*SIZE, 3))
    x = layers.Conv2D(4, 3, name="conv")(inner_photo)
    inner = keras.Model(inner_photo, [layers.ReLU()(x), layers.GlobalAveragePooling2D()(x)], name="inner")
    photo = _photo()
    maps, means = inner(photo / 64)
    return keras.Model(photo, _scores(layers.Concatenate()([layers.Flatten()(maps), means])))


def _in_policy(policy: str) -> keras.Model:
    photo = _photo()
    x = layers.Rescaling(1 / 64, dtype=policy)(photo)
    x = layers.Activation("relu", dtype=policy)(layers.BatchNormalization(dtype=policy)(layers.Conv2D(4, 3, name="conv", dtype=policy)(x)))
    return keras.Model(photo, _scores(x, dtype=policy))


for _policy in ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64"):
    STRUCTURES[_policy] = lambda policy=_policy: _in_policy(policy)


@structure
def layers_of_other_policies() -> keras.Model:
    photo = _photo()
    x = layers.Conv2D(4, 3, name="conv", dtype="mixed_float16")(photo / 64)
    x = layers.DepthwiseConv2D(3, dtype="float32")(x)
    x = layers.Conv2D(3, 1, dtype=keras.DTypePolicy("mixed_bfloat16"))(x)
    return keras.Model(photo, _scores(x, dtype="float32"))


@structure
def channels_first() -> keras.Model:
    photo = keras.Input((3, *SIZE), name="photo")
    x = layers.Conv2D(4, 3, data_format="channels_first", name="conv")(layers.Rescaling(1 / 64)(photo))
    x = layers.PReLU()(layers.GroupNormalization(2, axis=1)(x))
    x = layers.AveragePooling2D((2, 1), data_format="channels_first")(layers.ZeroPadding2D(1, data_format="channels_first")(x))
    return keras.Model(photo, _scores(x))


@structure
def operations() -> keras.Model:
    """Operations with numbers, arrays, slices, several outputs and keyword arguments."""
    photo = _photo()
    x = (photo[..., ::-1] - np.array([104.0, 117.0, 123.0], "float32")) / 64
    x = layers.Conv2D(4, 3, name="conv")(x)
    halves: Any = ops.split(x, 2, axis=-1)
    first, second = halves
    x = ops.where(first > 0, first, ops.expm1(second)) + ops.max(second, axis=-1, keepdims=True)
    x = ops.concatenate([x, ops.stack([first[..., 0], second[..., 1]], axis=-1)], axis=-1)
    x = ops.pad(x, [[0, 0], [1, 0], [0, 2], [0, 0]], mode="reflect")
    x = ops.transpose(ops.einsum("nhwc,nhwd->ncdh", x, x), (0, 3, 1, 2))
    return keras.Model(photo, _scores(ops.sigmoid(ops.clip(x, -3, 3)) * ops.rsqrt(ops.square(x) + 1)))


@structure
def resized_by_an_operation() -> keras.Model:
    photo = _photo()
    x = ops.image.resize(photo / 64, (17, 12), interpolation="bilinear")
    x = layers.Conv2D(4, 3, name="conv")(ops.image.crop_images(x, top_cropping=1, left_cropping=2, target_height=12, target_width=9))
    return keras.Model(photo, _scores(ops.average_pool(ops.max_pool(x, 2), 2, padding="same")))


@structure
def any_size() -> keras.Model:
    photo = keras.Input((None, None, 3), name="photo")
    x = layers.Conv2D(4, 3, strides=2, activation="relu", name="conv")(layers.Rescaling(1 / 64)(photo))
    skip = layers.Conv2D(4, 1)(x)
    gate = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(skip))
    x = layers.GlobalAveragePooling2D(name="mean")(layers.Multiply()([skip, gate]) + x)
    return keras.Model(photo, layers.Dense(5, activation="softmax", name="scores")(x))


@structure
def shape_in_the_graph() -> keras.Model:
    """A reshape whose sizes come from the graph, as in `ops.reshape(x, (ops.shape(x)[0], -1))`."""
    photo = _photo()
    x = layers.Conv2D(4, 3, name="conv")(photo / 64)
    shape = ops.shape(x)
    x = ops.reshape(x, (-1, shape[1] * shape[2], shape[3]))
    return keras.Model(photo, _scores(ops.mean(x, axis=1, keepdims=True) + x))


@structure
def recurrent_states() -> keras.Model:
    photo = _photo()
    x = layers.Reshape((77, 4))(layers.Conv2D(4, 3, name="conv")(photo / 64))
    sequence, hidden, cell = layers.LSTM(3, return_sequences=True, return_state=True)(x)
    sequence = layers.GRU(2, return_sequences=True)(sequence, initial_state=[layers.Dense(2)(hidden)])
    return keras.Model(photo, _scores(layers.Concatenate()([layers.Flatten()(sequence), cell])))


@structure
def attention_with_arguments() -> keras.Model:
    photo = _photo()
    x = layers.Reshape((77, 4))(layers.Conv2D(4, 3, name="conv")(photo / 64))
    y = layers.MultiHeadAttention(2, 3)(query=x, value=x[:, ::2], use_causal_mask=True)
    return keras.Model(photo, _scores(y))


@structure
def convolution_over_rows_in_time() -> keras.Model:
    """The channels of the photo are read as moments, one after the other."""
    photo = _photo()
    x = layers.Reshape((3, *SIZE, 1))(layers.Permute((3, 1, 2))(photo / 64))
    return keras.Model(photo, _scores(layers.Conv2D(3, 2, name="conv")(layers.ConvLSTM2D(2, 3)(x))))


@structure
def attention_over_a_map() -> keras.Model:
    photo = _photo()
    x = layers.Conv2D(4, 3, name="conv")(photo / 64)
    return keras.Model(photo, _scores(layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))(x, x))))


@structure
def frequencies() -> keras.Model:
    photo = _photo()
    x = ops.transpose(photo / 64, (0, 3, 1, 2))
    real, imaginary = ops.fft2((x, ops.zeros_like(x)))
    x = ops.transpose(ops.sqrt(real**2 + imaginary**2 + 1e-6), (0, 2, 3, 1))
    return keras.Model(photo, _scores(layers.Conv2D(4, 3, activation="relu", name="conv")(x)))


@structure
def rolled_and_sorted() -> keras.Model:
    photo = _photo()
    x = ops.take(ops.cumsum(ops.roll(photo / 64, 2, axis=1), axis=2) / 5, [2, 0, 1, 1], axis=-1)
    x = ops.flip(layers.Conv2D(4, 3, name="conv")(x), axis=1)
    x = ops.tile(ops.swapaxes(x / (ops.norm(x, axis=-1, keepdims=True) + 1e-3), 1, 2), (1, 1, 2, 1))
    return keras.Model(photo, _scores(ops.top_k(ops.reshape(x, (-1, 7 * 22 * 4)), 9)[0]))


@structure
def outputs_in_a_nested_dictionary() -> keras.Model:
    photo = _photo()
    x = layers.Conv2D(4, 3, activation="relu", name="conv")(photo / 64)
    mean = layers.GlobalAveragePooling2D()(x)
    return keras.Model(photo, {"kind": _scores(x), "more": [layers.Dense(1, name="age")(mean), {"maps": x}]})
