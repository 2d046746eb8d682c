"""Describe models that tests make by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from schemas.models import ModelDescription, PublishedModel
from tests.workers.models.entries import file_entry
from workers.models.description.describe import describe

layers = keras.layers


def described(model: keras.Model, **entry: Any) -> ModelDescription:
    """Return the description of a model, with a catalogue entry changed by `entry`."""
    return describe(model, file_entry(Path("hand_made.keras"), **entry)).description


def published(model: keras.Model, **entry: Any) -> PublishedModel:
    """Return what a worker publishes about a model, with a catalogue entry changed by `entry`."""
    return describe(model, file_entry(Path("hand_made.keras"), **entry))


def classifier() -> keras.Model:
    """Return a classifier of 13 × 9 pixels.

    Its class score does not depend on the side branch, and the activation after the last convolution is a layer.
    """
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Rescaling(1 / 255, name="scale")(photo)
    x = layers.Conv2D(6, 3, strides=2, padding="same", name="conv")(x)
    side = layers.Conv2D(2, 1, name="side")(x)
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Dropout(0.3, name="drop")(x)
    x = layers.GlobalAveragePooling2D(keepdims=True, name="average")(x)
    x = layers.Conv2D(5, 1, name="classify")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(photo, [layers.Softmax(name="scores")(x), side], name="classifier")
