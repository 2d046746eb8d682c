"""The ways out that the catalogue offers for what holds no whole model lead to a model that works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.catalog.make_catalog import catalog_in
from tests.workers.models.model_files import IMAGES, small_model
from workers.models.limits import ModelLimits
from workers.models.loading import load_model


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def _recipes(reason: str) -> list[str]:
    return reason.split("`")[1::2]


def test_weights_alone_are_loaded_into_a_model_that_is_saved_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, source = _folder(tmp_path), small_model()
    source.save_weights(folder / "small.weights.h5")
    *_, load_weights, save = _recipes(catalog_in(folder).unusable["small.weights.h5"].reason)
    monkeypatch.chdir(folder)
    rebuilt = keras.models.clone_model(source)
    for line in (load_weights, save):
        exec(line, {"model": rebuilt})  # noqa: S102 - it is what a user types
    loaded = load_model(catalog_in(folder)["my_model"], ModelLimits())
    np.testing.assert_array_equal(np.asarray(loaded(IMAGES)), np.asarray(source(IMAGES)))


@pytest.mark.slow
def test_weights_alone_of_an_architecture_are_named_in_models_toml(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    source = keras.applications.MobileNetV2(weights=None)
    source.save_weights(folder / "retrained.weights.h5")
    lines = _recipes(catalog_in(folder).unusable["retrained.weights.h5"].reason)[:3]
    catalog = catalog_in(folder, "\n".join(lines))
    assert not catalog.unusable
    x = np.random.default_rng(1).uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32)
    loaded: Any = load_model(catalog["my_model"], ModelLimits())
    np.testing.assert_allclose(loaded(x), source(x), atol=1e-6)


def test_an_exported_model_is_saved_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, source = _folder(tmp_path), small_model()
    source.export(folder / "small", verbose=False)
    (recipe,) = _recipes(catalog_in(folder).unusable["small"].reason)
    monkeypatch.chdir(folder)
    exec(recipe, {"model": source})  # noqa: S102 - it is what a user types
    catalog = catalog_in(folder)
    loaded = load_model(next(entry for entry in catalog.values() if entry.source == "file"), ModelLimits())
    np.testing.assert_array_equal(np.asarray(loaded(IMAGES)), np.asarray(source(IMAGES)))
