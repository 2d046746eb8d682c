"""The sides that models with free sides take: by hand, and by running the models."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from workers.engine.free_sides import free_side_rule, takes
from workers.engine.graph import Graph


def unet(depth: int, pool: int = 2) -> keras.Model:
    photo = keras.Input((None, None, 3), name="photo")
    x, skips = photo, []
    for level in range(depth):
        x = layers.Conv2D(2 + level, 3, padding="same", activation="relu")(x)
        skips.append(x)
        x = layers.MaxPooling2D(pool)(x)
    for skip in reversed(skips):
        x = layers.Concatenate()([layers.UpSampling2D(pool)(x), skip])
    return keras.Model(photo, layers.Conv2D(2, 1)(x))


def unpadded_unet(depth: int) -> keras.Model:
    """Return a U-Net whose convolutions have no padding, as in Ronneberger et al., arXiv:1505.04597. Skips are cropped."""
    photo = keras.Input((None, None, 3), name="photo")
    x, skips = photo, []
    for level in range(depth):
        x = layers.Conv2D(2, 3)(layers.Conv2D(2 + level, 3)(x))
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    x, lost = layers.Conv2D(2, 3)(layers.Conv2D(2, 3)(x)), 4
    for skip in reversed(skips):
        lost *= 2  # rows that the map lost below this level, in rows of this level
        x = layers.Concatenate()([layers.UpSampling2D(2)(x), layers.Cropping2D(lost // 2)(skip)])
        x, lost = layers.Conv2D(2, 3)(layers.Conv2D(2, 3)(x)), lost + 8
    return keras.Model(photo, layers.Conv2D(2, 1)(x))


def plain(*stack: keras.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((None, None, 3), name="photo"), *stack])


def gated() -> keras.Model:
    photo = keras.Input((None, None, 3), name="photo")
    x = layers.Conv2D(4, 3, strides=2, padding="same")(photo)
    gate = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    return keras.Model(photo, layers.Multiply()([x, gate]))


MODELS = {
    "U-Net, 3 poolings": (unet(3), (8, 8)),
    "U-Net, 5 poolings": (unet(5), (32, 32)),
    "U-Net, poolings of 3": (unet(2, pool=3), (9, 9)),
    "U-Net without padding, 1 pooling": (unpadded_unet(1), (2, 18)),
    "U-Net without padding, 4 poolings": (unpadded_unet(4), (16, 188)),  # 572 of the paper is 16 · 35 + 12, too
    "strides and SAME": (plain(layers.Conv2D(2, 3, strides=2, padding="same"), layers.MaxPooling2D(2, padding="same")), (1, 1)),
    "poolings without padding": (plain(layers.MaxPooling2D(2), layers.MaxPooling2D(2), layers.MaxPooling2D(2)), (1, 8)),
    "convolutions without padding": (plain(layers.Conv2D(2, 5), layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()), (1, 7)),
    "gate": (gated(), (1, 1)),
    "resized inside": (plain(layers.Resizing(24, 32), layers.Conv2D(2, 3), layers.Flatten()), (1, 1)),
}


@pytest.mark.parametrize("name", MODELS)
def test_multiple_and_smallest_side(name: str) -> None:
    model, expected = MODELS[name]
    graph = Graph(model)
    multiple, remainder, smallest = free_side_rule(graph.layers, "photo", 512)
    assert (multiple, smallest) == expected
    assert remainder == smallest % multiple
    # Keras takes what the rule allows, and the rule refuses what Keras refuses.
    for height, width in ((smallest, smallest + multiple), (smallest + 3 * multiple, smallest)):
        assert takes(graph.layers, "photo", (height, width))
        assert np.asarray(model(np.zeros((1, height, width, 3), np.float32), training=False)).size
    if multiple > 1:
        assert not takes(graph.layers, "photo", (smallest + 1, smallest))
        with pytest.raises(Exception, match=r"(?i)shape|dimension"):
            model(np.zeros((1, smallest + 1, smallest, 3), np.float32), training=False)
    elif smallest > 1:
        assert not takes(graph.layers, "photo", (smallest - 1, smallest))
