"""The registry of the zoo, and what its models have in common: sizes, layers, weights and inputs."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import layers

HEIGHT, WIDTH, CHANNELS, CLASSES = 13, 9, 3, 5
ZOO: dict[str, Callable[[], keras.Model]] = {}
"""Builders of the models by name."""
TARGET_LAYER: dict[str, str] = {}
"""The layer of each model that Grad-CAM looks at."""
HEAD: dict[str, str] = {}
"""The head of each model: softmax, sigmoid, logits or none."""


def in_zoo(layer: str, head: str) -> Callable[[Callable[[], keras.Model]], Callable[[], keras.Model]]:
    """Register a builder under the name of its function, with its target layer and head; its weights are drawn by seed."""

    def register(build: Callable[[], keras.Model]) -> Callable[[], keras.Model]:
        def build_seeded() -> keras.Model:
            return seeded(build())

        ZOO[build.__name__], TARGET_LAYER[build.__name__], HEAD[build.__name__] = build_seeded, layer, head
        return build_seeded

    return register


def seeded(model: keras.Model, seed: int = 7) -> keras.Model:
    """Draw every weight of `model` anew and return it: kernels keep activations near 1, and statistics are neither 0 nor 1."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        shape = tuple(variable.shape)
        if "variance" in variable.name or "gamma" in variable.name:
            value = rng.uniform(0.5, 1.5, shape)
        elif len(shape) > 1:
            value = rng.normal(0, (2 / np.prod(shape[:-1])) ** 0.5, shape)
        else:
            value = rng.normal(0, 0.2, shape)
        variable.assign(value.astype("float32"))
    return model


def photo_batch(model: keras.Model, n: int = 2, seed: int = 0, size: tuple[int, int] | None = None) -> np.ndarray:
    """Return inputs (n, H, W, C) float32 in [-1, 1) for the model's first input; where its size is free it is `size`, or 13 × 9."""
    _, height, width, channels = model.inputs[0].shape
    given = size or (height or HEIGHT, width or WIDTH)
    return np.random.default_rng(seed).uniform(-1, 1, (n, *given, channels)).astype("float32")


def image_input(channels: int = CHANNELS, name: str = "photo") -> keras.KerasTensor:
    return keras.Input((HEIGHT, WIDTH, channels), name=name)


def features(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="conv1")(x)
    x = layers.MaxPooling2D((2, 1), name="pool1")(x)
    return layers.Conv2D(8, (3, 2), activation="relu", name="conv2")(x)


def pooled(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.GlobalAveragePooling2D(name="gap")(x)
