"""Models that differ in their output: every form of a softmax or sigmoid, logits, several outputs, no classes."""

from __future__ import annotations

import keras
from keras import layers

from tests.zoo.registry import CHANNELS, CLASSES, features, image_input, in_zoo, pooled


@in_zoo(layer="conv2", head="softmax")
def softmax_layer() -> keras.Model:
    photo = image_input()
    x = layers.Dense(CLASSES, name="scores")(layers.Flatten(name="flatten")(features(photo)))
    return keras.Model(photo, layers.Softmax(name="softmax")(x))


@in_zoo(layer="conv2", head="softmax")
def softmax_activation() -> keras.Model:
    """The head is fully convolutional like MobileNet's: a 1 × 1 convolution, a Reshape and `Activation("softmax")`."""
    photo = image_input()
    x = layers.GlobalAveragePooling2D(keepdims=True, name="gap")(features(photo))
    x = layers.Reshape((CLASSES,), name="reshape")(layers.Conv2D(CLASSES, 1, name="scores")(x))
    return keras.Model(photo, layers.Activation("softmax", name="softmax")(x))


@in_zoo(layer="conv2", head="softmax")
def softmax_operation() -> keras.Model:
    """The graph has `keras.ops` functions: an addition in the middle and the softmax at the end."""
    photo = image_input()
    x = features(photo)
    x = x + layers.Conv2D(8, 1, name="side")(x)
    return keras.Model(photo, keras.ops.softmax(layers.Dense(CLASSES, name="scores")(pooled(x))))


@in_zoo(layer="conv2", head="binary")
def binary() -> keras.Model:
    photo = image_input()
    x = layers.Flatten(name="flatten")(features(photo))
    return keras.Model(photo, layers.Dense(1, activation="sigmoid", name="answer")(x))


@in_zoo(layer="conv2", head="sigmoid")
def multi_label() -> keras.Model:
    photo = image_input()
    x = layers.Dense(CLASSES, name="scores")(pooled(features(photo)))
    return keras.Model(photo, layers.Activation("sigmoid", name="labels")(x))


@in_zoo(layer="conv2", head="logits")
def logits_head() -> keras.Model:
    photo = image_input()
    return keras.Model(photo, layers.Dense(CLASSES, name="scores")(pooled(features(photo))))


@in_zoo(layer="conv2", head="none")
def no_classes() -> keras.Model:
    """The model is a backbone, whose output is a map."""
    photo = image_input()
    return keras.Model(photo, features(photo))


@in_zoo(layer="base/conv2", head="softmax")
def nested_head() -> keras.Model:
    """Base and head are nested models. The head is Sequential and ends in a softmax, so the logits are inside it."""
    inner = keras.Input((None, None, CHANNELS), name="inner_photo")
    base = keras.Model(inner, features(inner), name="base")
    head = keras.Sequential(
        [
            keras.Input((4, 8, 8), name="features"),
            layers.GlobalAveragePooling2D(name="gap"),
            layers.Dense(CLASSES, name="scores"),
            layers.Softmax(name="softmax"),
        ],
        name="head",
    )
    photo = image_input()
    return keras.Model(photo, head(base(photo)))


@in_zoo(layer="conv2", head="softmax")
def two_outputs() -> keras.Model:
    """The first output is the classes, and the second is a number from a branch of its own."""
    photo = image_input()
    x = features(photo)
    classes = layers.Dense(CLASSES, activation="softmax", name="classes")(pooled(x))
    branch = layers.Conv2D(2, 1, name="branch")(x)
    return keras.Model(photo, [classes, layers.Dense(1, name="number")(layers.Flatten(name="flatten")(branch))])
