"""What the engine's tests share: a probe of any model, described just as far as the engine reads descriptions."""

from __future__ import annotations

import keras
import numpy as np

from schemas.models import InputSpec, ModelDescription, Preprocessing, PublishedModel
from tests.zoo import ZOO
from workers.engine.probe import KerasProbe


def published(model: keras.Model, name: str = "tested") -> PublishedModel:
    image = model.inputs[0]
    _, height, width, channels = image.shape
    description = ModelDescription(
        name=name,
        source="file",
        input=InputSpec(name=image._keras_history.operation.name, height=height, width=width, channels=channels),
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
    """Largest difference over the largest expected value."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    assert got.shape == expected.shape
    return float(np.max(np.abs(got - expected)) / np.max(np.abs(expected)))
