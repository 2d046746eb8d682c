"""Helpers of the engine's tests: a probe of any model, with the parts of a description that the engine reads."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from schemas.models import InputSpec, ModelDescription, Preprocessing, PublishedModel
from tests.zoo import ZOO
from workers.engine.keras_internals import producer_of
from workers.engine.probe import KerasProbe


def published(model: keras.Model, name: str = "tested") -> PublishedModel:
    image = model.inputs[0]
    _, height, width, channels = image.shape
    description = ModelDescription(
        name=name,
        source="file",
        input=InputSpec(name=producer_of(image).name, height=height, width=width, channels=channels),
        preprocessing=Preprocessing(),
        classes=None,
        head="none",
        outputs=(),
        fingerprint="0" * 64,
        parameters=model.count_params(),
        default_layer=None,
        layers=(),
    )
    return PublishedModel(description=description, labels=(), digest="0")


def probe_of(model: keras.Model) -> KerasProbe:
    return KerasProbe(model, published(model))


def zoo_probe(name: str) -> KerasProbe:
    return probe_of(ZOO[name]())


def relative_difference(got: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference divided by the largest expected value."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    assert got.shape == expected.shape
    return float(np.max(np.abs(got - expected)) / np.max(np.abs(expected)))


def moved(what: str) -> str:
    """Return the message of a test that an internal of Keras no longer passes."""
    return f"Keras {keras.__version__} has changed an internal: {what} (adapt workers/engine/keras_internals.py)"


def diamond() -> keras.Model:
    """Return a model of two inputs: one dense layer is called on both, and a layer and an operation follow."""
    left, right = keras.Input((3,), name="left"), keras.Input((3,), name="right")
    shared = layers.Dense(2, name="shared")
    joined = layers.Concatenate(name="joined")([shared(left), shared(right)])
    return keras.Model([left, right], keras.ops.relu(joined), name="diamond")
