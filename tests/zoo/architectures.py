"""Models that differ in how they are built: nested or shared models, several inputs, free sizes, half precision."""

from __future__ import annotations

import keras
from keras import layers

from tests.zoo.registry import CHANNELS, CLASSES, features, image_input, in_zoo, pooled


@in_zoo(layer="conv2", head="softmax")
def functional() -> keras.Model:
    """The softmax is an argument of the last layer. There are two dense layers, so that the gradient differs between positions."""
    photo = image_input()
    x = layers.Flatten(name="flatten")(features(photo))
    x = layers.Dense(7, activation="relu", name="hidden")(x)
    return keras.Model(photo, layers.Dense(CLASSES, activation="softmax", name="predictions")(x))


@in_zoo(layer="conv2", head="softmax")
def sequential() -> keras.Model:
    return keras.Sequential(
        [
            image_input(),
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
    """The target layer is inside a nested model, and the head is outside."""
    inner = image_input(name="inner_photo")
    base = keras.Model(inner, features(inner), name="base")
    photo = image_input()
    x = layers.Flatten(name="flatten")(base(layers.Rescaling(0.5, name="rescale")(photo)))
    return keras.Model(photo, layers.Dense(CLASSES, activation="softmax", name="predictions")(x))


@in_zoo(layer="relu2", head="softmax")
def batch_norm() -> keras.Model:
    """Batch norm follows every foldable kind of convolution, one that has an activation, and one that is read twice."""
    photo = image_input()
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
    """One convolution is called twice; its path means the first call."""
    photo = image_input()
    convolution = layers.Conv2D(3, 3, padding="same", activation="tanh", name="shared")
    x = convolution(convolution(photo))
    return keras.Model(photo, layers.Dense(CLASSES, activation="softmax", name="predictions")(pooled(x)))


@in_zoo(layer="base/conv2", head="logits")
def shared_model() -> keras.Model:
    """One nested model is called on the photo and on its mirror image."""
    inner = image_input(name="inner_photo")
    base = keras.Model(inner, features(inner), name="base")
    photo = image_input()
    both = layers.Concatenate(name="both")([base(photo), base(keras.ops.flip(photo, axis=2))])
    return keras.Model(photo, layers.Dense(CLASSES, name="scores")(pooled(both)))


@in_zoo(layer="conv2", head="softmax")
def two_inputs() -> keras.Model:
    """The inputs are a photo and four numbers; `conv2` needs the photo alone, and the class score needs both."""
    photo, numbers = image_input(), keras.Input((4,), name="numbers")
    x = layers.Concatenate(name="both")([pooled(features(photo)), layers.Dense(3, name="embedded")(numbers)])
    return keras.Model([photo, numbers], layers.Dense(CLASSES, activation="softmax", name="predictions")(x))


@in_zoo(layer="conv2", head="softmax")
def any_size() -> keras.Model:
    photo = keras.Input((None, None, CHANNELS), name="photo")
    return keras.Model(photo, layers.Dense(CLASSES, activation="softmax", name="predictions")(pooled(features(photo))))


@in_zoo(layer="conv2", head="softmax")
def grey() -> keras.Model:
    photo = image_input(channels=1)
    return keras.Model(photo, layers.Dense(CLASSES, activation="softmax", name="predictions")(pooled(features(photo))))


def _mixed(policy: str) -> keras.Model:
    """Return a model in half precision with the softmax in float32, as Keras recommends."""
    photo = image_input()
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
