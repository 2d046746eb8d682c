"""A models folder whose loads are counted, for the tests of the pool."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import keras

from catalog.watched_catalog import WatchedCatalog
from tests.zoo import seeded
from workers.models.pool import ModelPool

layers = keras.layers
BYTES = 4 * (4 * 28 + 2 * (4 * 35 + 1))  # the weights of each model in the folder
LAYERS = 4  # the input layer included
HUGE = 10**12


class ProbeOfModel:
    """Replaces the engine's probe. Like that probe it holds the model. It has made no copies and no functions unless the test says so."""

    def __init__(self, model: keras.Model, published: Any) -> None:
        self.model, self.published = model, published
        self.nbytes = self.operations = 0


class CountedFolder:
    """A models folder that notes each load of its models, and can hold loads up until `gate` is set."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.loads: list[str] = []
        self.gate: threading.Event | None = None

    def save(self, name: str, seed: int = 0) -> None:
        stack = [layers.Conv2D(4, 3, name="conv"), layers.Flatten(), layers.Dense(2)]
        seeded(keras.Sequential([keras.Input((9, 7, 3)), *stack]), seed).save(self.path / f"{name}.keras")

    def catalog(self) -> WatchedCatalog:
        return WatchedCatalog(self.path / "models.toml", self.path)

    def make_probe(self, model: keras.Model, published: Any) -> Any:
        self.loads.append(published.description.name)
        if self.gate is not None:
            assert self.gate.wait(30)
        return ProbeOfModel(model, published)

    def pool(self, max_bytes: int = HUGE) -> ModelPool:
        return ModelPool(self.catalog().entry, max_bytes, self.make_probe)
