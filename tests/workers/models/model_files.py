"""Model files for tests: a small model, the same with a changed configuration, and what loading a file says."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from schemas.errors import ModelLoadFailed
from tests.workers.models.entries import file_entry
from workers.models.limits import ModelLimits
from workers.models.loading import load_model

layers = keras.layers
IMAGES = np.random.default_rng(4).uniform(-1, 1, (2, 9, 7, 3)).astype(np.float32)


def small_model(*extra: Any, legacy: bool = False) -> keras.Model:
    """Return a Functional model of 9 × 7 pixels and 4 classes. It has a nested model and, unless `legacy`, an operation of `keras.ops`."""
    inner_input = keras.Input((9, 7, 3))
    base = keras.Model(inner_input, layers.Conv2D(5, 3, activation="relu", name="conv")(inner_input), name="base")
    photo = keras.Input((9, 7, 3), name="photo")
    x = layers.BatchNormalization(name="bn")(base(photo))
    if not legacy:  # Keras cannot read operations from `.h5`
        x = keras.ops.maximum(x, 0.1 * x)
    for layer in extra:
        x = layer(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(photo, layers.Dense(4, activation="softmax", name="scores")(x), name="small")


def sequential_h5(folder: Path) -> Path:
    """Save a Sequential model to an `.h5` file as Keras 3 does, and return the file."""
    model = keras.Sequential([keras.Input((9, 7, 3)), layers.Conv2D(5, 3, name="conv"), layers.Flatten(), layers.Dense(2, name="scores")])
    model.save(folder / "plain.h5")
    return folder / "plain.h5"


def load(path: Path, **limits: int) -> keras.Model:
    return load_model(file_entry(path), ModelLimits(**limits))


def assert_refused(path: Path, says: str, **limits: int) -> None:
    """Assert that loading fails with a message that matches `says` and names the file, but not its folder."""
    with pytest.raises(ModelLoadFailed, match=says) as failure:
        load(path, **limits)
    assert path.name in failure.value.detail
    assert str(path.parent) not in failure.value.detail


def with_config(change: Callable[[dict[str, Any]], None], path: Path) -> Path:
    """Save `small_model` as a .keras file with a changed configuration, and return the file."""
    whole = path.with_name("whole.keras")
    small_model().save(whole)
    return copy_with_config(whole, path, change)


def copy_with_config(source: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Copy a .keras file with a changed configuration, and return the copy."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config).encode()
            new.writestr(name, content)
    return target


def layer_config(config: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the part of the configuration that belongs to one layer, for a test to change."""
    return next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == name)
