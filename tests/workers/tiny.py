"""A small model in a models folder, and photos, for tests that run whole jobs."""

from __future__ import annotations

import io
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from tests.zoo import seeded

SIDE_FILE = """
default_layer = "relu"
[preprocessing]
mode = "tf"
mean = [127.5]
std = [127.5]
"""


def save_model(folder: Path, name: str = "tiny") -> Path:
    """Save a classifier of 5 classes for inputs 24 high and 20 wide, and return its path. It has two convolutions and batch norm."""
    layers = keras.layers
    inputs = keras.Input((24, 20, 3), name="photo")
    x = layers.Conv2D(6, 3, strides=2, activation="relu", name="stem")(inputs)
    x = layers.BatchNormalization(name="norm")(layers.Conv2D(8, 3, name="conv")(x))
    x = layers.GlobalAveragePooling2D(name="mean")(layers.ReLU(name="relu")(x))
    model = keras.Model(inputs, layers.Dense(5, activation="softmax", name="classes")(x))
    path = folder / f"{name}.keras"
    seeded(model).save(path)
    path.with_suffix(".toml").write_text(SIDE_FILE)
    return path


def photo(seed: int, height: int = 31, width: int = 45) -> bytes:
    """Return a PNG file of random pixels."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()
