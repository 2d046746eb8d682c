"""Helpers of the ascent's tests: specs with most fields filled in, and running an ascent to its end."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.transforms import Transforms
from schemas.models import Preprocessing
from tests.zoo import seeded
from workers.contract.synthesis import AscentSpec, AscentState, Objective, Start
from workers.engine.ascent.loop import ascend
from workers.engine.compiled_cache import CompiledCache
from workers.engine.graph import Graph


def lively() -> keras.Model:
    """Return a model for any size with 3 channels: `conv1` (6), `pool1`, `conv2` (8), 5 classes. Near mid-grey no channel is dead."""
    photo = keras.Input((None, None, 3), name="photo")
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="conv1")(photo)
    x = layers.Conv2D(8, (3, 2), activation="elu", name="conv2")(layers.MaxPooling2D((2, 1), name="pool1")(x))
    x = layers.Dense(5, activation="softmax", name="predictions")(layers.GlobalAveragePooling2D(name="gap")(x))
    model = seeded(keras.Model(photo, x))
    kernel, bias = model.get_layer("conv1").get_weights()
    model.get_layer("conv1").set_weights([kernel, bias * 0 + 0.3])
    return model


TF_PREPROCESSING = Preprocessing.named("tf")


def fourier_spec(objective: Objective, **changes: Any) -> AscentSpec:
    spec = AscentSpec(
        objective=objective,
        parametrisation="fourier",
        size=(13, 9),
        steps=6,
        learning_rate=0.05,
        optimizer="adam",
        gradient_norm="none",
        start=Start("normal", sigma=0.01),
        transforms=Transforms(),
        regularisers=Regularisers(),
        seed=3,
    )
    return replace(spec, **changes)


def pixel_spec(objective: Objective, **changes: Any) -> AscentSpec:
    pixel: dict[str, Any] = {
        "parametrisation": "pixel",
        "optimizer": "ascent",
        "gradient_norm": "rms",
        "start": Start("uniform", -0.2, 0.2),
        "learning_rate": 0.1,
    }
    return fourier_spec(objective, **{**pixel, **changes})


def finish(ascent: Generator[AscentState, None, AscentState]) -> tuple[AscentState, list[AscentState]]:
    """Return the state that an ascent returns, and the states that it yields before."""
    yielded: list[AscentState] = []
    while True:
        try:
            yielded.append(next(ascent))
        except StopIteration as stop:
            return stop.value, yielded


def run(model: keras.Model, spec: AscentSpec, compiled: CompiledCache | None = None) -> AscentState:
    return finish(ascent(Graph(model), TF_PREPROCESSING, spec, CompiledCache() if compiled is None else compiled))[0]


def ascent(
    graph: Graph, preprocessing: Preprocessing, spec: AscentSpec, compiled: CompiledCache
) -> Generator[AscentState, None, AscentState]:
    """Ascend at the model's first input."""
    return ascend(graph, graph.input_names[0], preprocessing, spec, compiled)


class ScarceMemoryCache(CompiledCache):
    """A cache whose compiled steps raise for want of memory when they get more than `most` images."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.refused = most, 0

    def get(self, key, build):
        compiled = super().get(key, build)
        scarce = self

        class ScarceStep:
            def __init__(self) -> None:
                self.function = compiled.function

            def __call__(self, point, *rest):
                if point.variable.shape[0] > scarce.most:
                    scarce.refused += 1
                    raise tf.errors.ResourceExhaustedError(None, None, "no memory")
                return compiled(point, *rest)

        return ScarceStep()
