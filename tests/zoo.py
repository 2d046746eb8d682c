"""Tiny Keras models that many tests look into: one for each way in which a model can be built.

All take non-square inputs (13 high, 9 wide, 3 channels unless their name says otherwise), and their weights, batch norm
statistics included, are random by seed. `ZOO[name]()` builds one; `photo_batch(model, n)` makes an input for it.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import layers

HEIGHT, WIDTH, CHANNELS, CLASSES = 13, 9, 3, 5
ZOO: dict[str, Callable[[], keras.Model]] = {}
# Where Grad-CAM looks, and what the head is: softmax, sigmoid, logits or none.
TARGET_LAYER: dict[str, str] = {}
HEAD: dict[str, str] = {}


def in_zoo(layer: str, head: str) -> Callable[[Callable[[], keras.Model]], Callable[[], keras.Model]]:
    def register(build: Callable[[], keras.Model]) -> Callable[[], keras.Model]:
        def build_seeded() -> keras.Model:
            return seeded(build())

        ZOO[build.__name__], TARGET_LAYER[build.__name__], HEAD[build.__name__] = build_seeded, layer, head
        return build_seeded

    return register


def seeded(model: keras.Model, seed: int = 7) -> keras.Model:
    """`model` with every weight drawn anew: kernels of a size that keeps activations near 1, statistics away from 0 and 1."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        shape = tuple(variable.shape)
        if "variance" in variable.name or "gamma" in variable.name:
            value = rng.uniform(0.5, 1.5, shape)
        elif len(shape) > 1:
            value = rng.normal(0, (2 / np.prod(shape[:-1])) ** 0.5, shape)
        else:
            value = rng.normal(0, 0.2, shape)
        variable.assign(value.astype("float32"))
    return model


def photo_batch(model: keras.Model, n: int = 2, seed: int = 0, size: tuple[int, int] | None = None) -> np.ndarray:
    """(n, H, W, C) float32 in [-1, 1), of the model's first input; where that varies, `size` or 13 × 9."""
    _, height, width, channels = model.inputs[0].shape
    given = size or (height or HEIGHT, width or WIDTH)
    return np.random.default_rng(seed).uniform(-1, 1, (n, *given, channels)).astype("float32")


def _image(channels: int = CHANNELS, name: str = "photo") -> keras.KerasTensor:
    return keras.Input((HEIGHT, WIDTH, channels), name=name)


def _features(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="conv1")(x)
    x = layers.MaxPooling2D((2, 1), name="pool1")(x)
    return layers.Conv2D(8, (3, 2), activation="relu", name="conv2")(x)


def _pooled(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.GlobalAveragePooling2D(name="gap")(x)


@in_zoo(layer="conv2", head="softmax")
def functional() -> keras.Model:
    """Softmax as the last layer's argument; two dense layers, so that the gradient differs from place to place."""
    photo = _image()
    x = layers.Flatten(name="flatten")(_features(photo))
    x = layers.Dense(7, activation="relu", name="hidden")(x)
    return keras.Model(photo, layers.Dense(CLASSES, activation="softmax", name="predictions")(x))


@in_zoo(layer="conv2", head="softmax")
def sequential() -> keras.Model:
    return keras.Sequential(
        [
            _image(),
            layers.Conv2D(6, 3, strides=(2, 1), activation="relu", name="conv1"),
            layers.DepthwiseConv2D((2, 3), activation="tanh", name="depthwise"),
            layers.Conv2D(4, 2, activation="relu", name="conv2"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.5, name="dropout"),
            layers.Dense(CLASSES, activation="softmax", name="predictions"),
        ]
    )


@in_zoo(layer="base/conv2", head="softmax")
def nested() -> keras.Model:
    """The target layer stands inside a nested model, the head outside."""
    inner = _image(name="inner_photo")
    base = keras.Model(inner, _features(inner), name="base")
    photo = _image()
    x = layers.Flatten(name="flatten")(base(layers.Rescaling(0.5, name="rescale")(photo)))
    return keras.Model(photo, layers.Dense(CLASSES, activation="softmax", name="predictions")(x))


@in_zoo(layer="base/conv2", head="softmax")
def nested_head() -> keras.Model:
    """Base and head are nested models, the head a Sequential one that ends in a softmax: logits are found inside it."""
    inner = keras.Input((None, None, CHANNELS), name="inner_photo")
    base = keras.Model(inner, _features(inner), name="base")
    head = keras.Sequential(
        [
            keras.Input((4, 8, 8), name="features"),
            layers.GlobalAveragePooling2D(name="gap"),
            layers.Dense(CLASSES, name="scores"),
            layers.Softmax(name="softmax"),
        ],
        name="head",
    )
    photo = _image()
    return keras.Model(photo, head(base(photo)))


@in_zoo(layer="conv2", head="softmax")
def softmax_layer() -> keras.Model:
    photo = _image()
    x = layers.Dense(CLASSES, name="scores")(layers.Flatten(name="flatten")(_features(photo)))
    return keras.Model(photo, layers.Softmax(name="softmax")(x))


@in_zoo(layer="conv2", head="softmax")
def softmax_activation() -> keras.Model:
    """Fully convolutional, as MobileNet's head: 1 × 1 convolution, Reshape, `Activation("softmax")`."""
    photo = _image()
    x = layers.GlobalAveragePooling2D(keepdims=True, name="gap")(_features(photo))
    x = layers.Reshape((CLASSES,), name="reshape")(layers.Conv2D(CLASSES, 1, name="scores")(x))
    return keras.Model(photo, layers.Activation("softmax", name="softmax")(x))


@in_zoo(layer="conv2", head="softmax")
def softmax_operation() -> keras.Model:
    """`keras.ops` functions in the graph: an addition in the middle, the softmax at the end."""
    photo = _image()
    x = _features(photo)
    x = x + layers.Conv2D(8, 1, name="side")(x)
    return keras.Model(photo, keras.ops.softmax(layers.Dense(CLASSES, name="scores")(_pooled(x))))


@in_zoo(layer="conv2", head="sigmoid")
def binary() -> keras.Model:
    photo = _image()
    x = layers.Flatten(name="flatten")(_features(photo))
    return keras.Model(photo, layers.Dense(1, activation="sigmoid", name="answer")(x))


@in_zoo(layer="conv2", head="sigmoid")
def multi_label() -> keras.Model:
    photo = _image()
    x = layers.Dense(CLASSES, name="scores")(_pooled(_features(photo)))
    return keras.Model(photo, layers.Activation("sigmoid", name="labels")(x))


@in_zoo(layer="conv2", head="logits")
def logits_head() -> keras.Model:
    photo = _image()
    return keras.Model(photo, layers.Dense(CLASSES, name="scores")(_pooled(_features(photo))))


@in_zoo(layer="relu2", head="softmax")
def batch_norm() -> keras.Model:
    """Every convolution that can take up a batch norm, and two that cannot: one with an activation, one read twice."""
    photo = _image()
    x = layers.Conv2D(6, 3, padding="same", use_bias=False, name="conv1")(photo)
    x = layers.ReLU(name="relu1")(layers.BatchNormalization(name="bn1")(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x)
    x = layers.ReLU(6.0, name="relu6")(layers.BatchNormalization(scale=False, name="bn_depthwise")(x))
    x = layers.SeparableConv2D(5, (1, 2), name="separable")(x)
    x = layers.BatchNormalization(name="bn_separable")(x)
    x = layers.Conv2DTranspose(4, 2, name="transposed")(x)
    x = layers.BatchNormalization(center=False, name="bn_transposed")(x)
    x = layers.Conv2D(4, 1, activation="relu", name="activated")(x)
    x = layers.BatchNormalization(name="bn_activated")(x)
    twice = layers.Conv2D(4, 1, name="twice")(x)
    x = layers.Add(name="add")([layers.BatchNormalization(name="bn_twice")(twice), twice])
    x = layers.Conv2D(6, 2, name="conv2")(x)
    x = layers.ReLU(name="relu2")(layers.BatchNormalization(name="bn2")(x))
    x = layers.Dense(7, use_bias=False, name="hidden")(layers.Flatten(name="flatten")(x))
    x = layers.ReLU(name="relu_hidden")(layers.BatchNormalization(name="bn_hidden")(x))
    return keras.Model(photo, layers.Dense(CLASSES, activation="softmax", name="predictions")(x))


@in_zoo(layer="shared", head="softmax")
def shared_layer() -> keras.Model:
    """One convolution called twice; its path means the first call."""
    photo = _image()
    convolution = layers.Conv2D(3, 3, padding="same", activation="tanh", name="shared")
    x = convolution(convolution(photo))
    return keras.Model(photo, layers.Dense(CLASSES, activation="softmax", name="predictions")(_pooled(x)))


@in_zoo(layer="base/conv2", head="logits")
def shared_model() -> keras.Model:
    """One nested model called on the photo and on its mirror image."""
    inner = _image(name="inner_photo")
    base = keras.Model(inner, _features(inner), name="base")
    photo = _image()
    both = layers.Concatenate(name="both")([base(photo), base(keras.ops.flip(photo, axis=2))])
    return keras.Model(photo, layers.Dense(CLASSES, name="scores")(_pooled(both)))


@in_zoo(layer="conv2", head="softmax")
def two_inputs() -> keras.Model:
    """A photo and four numbers; `conv2` needs the photo alone, the class score both."""
    photo, numbers = _image(), keras.Input((4,), name="numbers")
    x = layers.Concatenate(name="both")([_pooled(_features(photo)), layers.Dense(3, name="embedded")(numbers)])
    return keras.Model([photo, numbers], layers.Dense(CLASSES, activation="softmax", name="predictions")(x))


@in_zoo(layer="conv2", head="softmax")
def two_outputs() -> keras.Model:
    """The first output has the classes, the second a number from a branch of its own."""
    photo = _image()
    x = _features(photo)
    classes = layers.Dense(CLASSES, activation="softmax", name="classes")(_pooled(x))
    branch = layers.Conv2D(2, 1, name="branch")(x)
    return keras.Model(photo, [classes, layers.Dense(1, name="number")(layers.Flatten(name="flatten")(branch))])


@in_zoo(layer="conv2", head="softmax")
def any_size() -> keras.Model:
    photo = keras.Input((None, None, CHANNELS), name="photo")
    return keras.Model(photo, layers.Dense(CLASSES, activation="softmax", name="predictions")(_pooled(_features(photo))))


@in_zoo(layer="conv2", head="softmax")
def grey() -> keras.Model:
    photo = _image(channels=1)
    return keras.Model(photo, layers.Dense(CLASSES, activation="softmax", name="predictions")(_pooled(_features(photo))))


@in_zoo(layer="conv2", head="none")
def no_classes() -> keras.Model:
    """A backbone: its output is a map."""
    photo = _image()
    return keras.Model(photo, _features(photo))


def _mixed(policy: str) -> keras.Model:
    """As `keras.mixed_precision` recommends: all of it in half precision, the softmax in float32."""
    photo = _image()
    x = layers.Conv2D(6, 3, padding="same", activation="relu", dtype=policy, name="conv1")(photo)
    x = layers.Conv2D(8, (3, 2), activation="relu", dtype=policy, name="conv2")(x)
    x = layers.Flatten(dtype=policy, name="flatten")(x)
    x = layers.Dense(CLASSES, dtype=policy, name="scores")(x)
    return keras.Model(photo, layers.Activation("softmax", dtype="float32", name="softmax")(x))


@in_zoo(layer="conv2", head="softmax")
def mixed_float16() -> keras.Model:
    return _mixed("mixed_float16")


@in_zoo(layer="conv2", head="softmax")
def mixed_bfloat16() -> keras.Model:
    return _mixed("mixed_bfloat16")
