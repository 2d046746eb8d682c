"""Models of several inputs: a pair of photos, a photo with depth, and a photo with other values."""

from __future__ import annotations

import keras
from keras import layers, ops

from tests.zoo.registry import seeded


def siamese() -> keras.Model:
    """Return a model that compares two photos 13 high and 9 wide by one shared tower. `a` reads the tower's values of both."""
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Conv2D(4, 3, activation="relu", name="stem")(photo)
    x = layers.Conv2D(5, 3, strides=2, name="conv")(x)
    tower = keras.Model(photo, layers.GlobalAveragePooling2D(name="mean")(x), name="tower")
    left, right = keras.Input((13, 9, 3), name="left"), keras.Input((13, 9, 3), name="right")
    joined = layers.Concatenate(name="joined")([tower(left), tower(right)])
    return seeded(keras.Model([left, right], layers.Dense(3, activation="softmax", name="classes")(joined), name="siamese"))


def colour_and_depth() -> keras.Model:
    """Return a classifier of a photo and a depth image of the same size, each with a tower of its own."""
    colour, depth = keras.Input((13, 9, 3), name="colour"), keras.Input((13, 9, 1), name="depth")
    one = layers.Conv2D(4, 3, activation="relu", name="colour_conv")(colour)
    other = layers.Conv2D(3, 5, activation="relu", name="depth_conv")(depth)
    pooled = [layers.GlobalAveragePooling2D()(each) for each in (one, other)]
    return seeded(keras.Model([colour, depth], layers.Dense(4, name="classes")(layers.Concatenate()(pooled)), name="colour_and_depth"))


def photo_and_values() -> keras.Model:
    """Return a classifier of a photo, two numbers and a whole number from 0 to 6, which chooses a row of a table."""
    photo = keras.Input((13, 9, 3), name="photo")
    numbers, month = keras.Input((2,), name="metadata"), keras.Input((1,), dtype="int32", name="month")
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu", name="conv")(photo))
    table = layers.Flatten()(layers.Embedding(7, 3, name="table")(month))
    joined = layers.Concatenate()([pooled, ops.tanh(layers.Dense(3, name="numbers")(numbers)), table])
    return seeded(keras.Model([photo, numbers, month], layers.Dense(5, activation="softmax", name="classes")(joined), name="with_values"))


def of_channels(channels: int, height: int | None = 13, width: int | None = 9) -> keras.Model:
    """Return a classifier of images with this number of channels."""
    image = keras.Input((height, width, channels), name="image")
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu", name="conv")(image))
    return seeded(keras.Model(image, layers.Dense(3, activation="softmax", name="classes")(x), name=f"of_{channels}_channels"))
