"""Small vision transformers for the contract tests. No photo is square."""

from __future__ import annotations

import keras
from keras import layers

from tests import zoo


def tokens(photo: keras.KerasTensor) -> keras.KerasTensor:
    """Return twelve tokens, which are the positions of a map of 3 × 4."""
    patches = layers.Conv2D(6, (4, 2), strides=(4, 2), name="patches")(photo)
    return layers.Reshape((12, 6), name="tokens")(patches)


def block(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Return the tokens after a block with attention, whose layers have names that begin with `name`."""
    normed = layers.LayerNormalization(name=f"{name}_norm1")(x)
    x = layers.Add(name=f"{name}_add1")([x, layers.MultiHeadAttention(2, 3, name=f"{name}_attention")(normed, normed)])
    hidden = layers.Dense(7, activation="gelu", name=f"{name}_hidden")(layers.LayerNormalization(name=f"{name}_norm2")(x))
    return layers.Add(name=f"{name}_add2")([x, layers.Dense(6, name=f"{name}_out")(hidden)])


def class_token() -> keras.Model:
    """Return a model whose head reads a class token only."""
    photo = keras.Input((12, 8, 3), name="photo")
    x = layers.ZeroPadding1D((1, 0), name="class_token")(tokens(photo))
    x = layers.LayerNormalization(name="norm")(block(block(x, "block1"), "block2"))
    return zoo.seeded(keras.Model(photo, layers.Dense(5, activation="softmax", name="head")(x[:, 0])))
