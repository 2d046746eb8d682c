"""Files of the models folder are loaded as they were saved, or refused with a reason."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from tests.workers.models.model_files import IMAGES, assert_refused, layer_config, load, sequential_h5, small_model, with_config
from workers.engine.keras_internals import APPLICATION_LAYERS

layers = keras.layers


@pytest.fixture
def h5(tmp_path: Path) -> Path:
    return sequential_h5(tmp_path)


@pytest.mark.filterwarnings("ignore:.*HDF5 file via:UserWarning")
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".hdf5", ".KERAS", ".H5"])
def test_a_saved_model_answers_as_before(tmp_path: Path, suffix: str) -> None:
    model = small_model(legacy=suffix.lower() != ".keras")
    model.compile("adam", "categorical_crossentropy")
    model.save(tmp_path / f"small{suffix.lower()}")
    (tmp_path / f"small{suffix.lower()}").rename(tmp_path / f"small{suffix}")
    loaded = load(tmp_path / f"small{suffix}")
    np.testing.assert_array_equal(np.asarray(loaded(IMAGES)), np.asarray(model(IMAGES)))
    assert not loaded.compiled


@pytest.mark.filterwarnings("ignore:.*HDF5 file via:UserWarning")
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_the_layers_of_convnext_are_known(tmp_path: Path, suffix: str) -> None:
    """ConvNeXt has two layers that are not public in Keras. Only a `.keras` file names their module."""
    photo = keras.Input((9, 7, 3))
    x = layers.Conv2D(4, 3, padding="same")(photo)
    x = layers.Add()([x, APPLICATION_LAYERS["StochasticDepth"](0.2)(APPLICATION_LAYERS["LayerScale"](0.3, 4)(x))])
    model = keras.Model(photo, x)
    model.save(tmp_path / f"convnext{suffix}")
    np.testing.assert_array_equal(np.asarray(load(tmp_path / f"convnext{suffix}")(IMAGES)), np.asarray(model(IMAGES)))


def test_a_mixed_precision_sequential_answers_as_before(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((9, 7, 3)), layers.Conv2D(5, 3, dtype="mixed_bfloat16"), layers.Flatten(), layers.Dense(2)])
    model.save(tmp_path / "mixed.keras")
    np.testing.assert_array_equal(np.asarray(load(tmp_path / "mixed.keras")(IMAGES)), np.asarray(model(IMAGES)))


def test_a_channels_first_file_becomes_channels_last(tmp_path: Path) -> None:
    stack = [layers.Conv2D(4, 3, data_format="channels_first", name="conv"), layers.Flatten(name="flatten"), layers.Dense(2)]
    model = keras.Sequential([keras.Input((3, 9, 7)), *stack])
    model.save(tmp_path / "first.keras")
    loaded = load(tmp_path / "first.keras")
    assert loaded.input_shape == (None, 9, 7, 3)
    np.testing.assert_allclose(np.asarray(loaded(IMAGES)), np.asarray(model(IMAGES.transpose(0, 3, 1, 2))), rtol=1e-5, atol=1e-6)


def test_limits_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "small.keras"
    model = small_model()
    model.save(path)
    parameters = model.count_params()
    assert load(path, max_parameters=parameters, max_file_bytes=path.stat().st_size).count_params() == parameters
    assert_refused(path, f"has {parameters} parameters; at most {parameters - 1}", max_parameters=parameters - 1)
    assert_refused(path, f"has {path.stat().st_size} bytes; at most {path.stat().st_size - 1}", max_file_bytes=path.stat().st_size - 1)
    assert_refused(path, "expands to", max_expanded_bytes=1000)
    assert_refused(path, r"has \d+ layers; at most 5", max_layers=5)


def test_a_model_that_claims_too_many_parameters_takes_no_memory(tmp_path: Path) -> None:
    """10^12 parameters would take 4 TB. They are counted and refused, and never allocated."""

    def claim(config: dict[str, Any]) -> None:
        layer_config(config, "scores")["config"]["units"] = 2 * 10**11

    assert_refused(with_config(claim, tmp_path / "huge.keras"), "has 1200000000160 parameters; at most 200000000")


@pytest.mark.parametrize("name", ["text.keras", "text.h5"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("not a model")
    assert_refused(tmp_path / name, "damaged")
    (tmp_path / name).unlink()
    assert_refused(tmp_path / name, "is not in the models folder")


def test_a_damaged_file_is_refused(tmp_path: Path, h5: Path) -> None:
    with h5py.File(h5, "a") as file:
        del file["model_weights/conv"]
    assert_refused(h5, "could not be loaded: KeyError")
    with h5py.File(h5, "a") as file:
        del file["model_weights"]
    assert_refused(h5, "holds no whole model")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    assert_refused(tmp_path / "empty.keras", "lacks config.json or model.weights.h5")
    assert_refused(with_config(lambda config: config.pop("class_name"), tmp_path / "nameless.keras"), "names no model class")


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built:UserWarning")
def test_a_model_without_an_input_shape_is_refused(tmp_path: Path) -> None:
    model = keras.Sequential([layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()])
    model.save(tmp_path / "shapeless.keras")
    assert_refused(tmp_path / "shapeless.keras", "without an input shape")


def test_a_file_of_weights_alone_is_refused(tmp_path: Path) -> None:
    small_model().save_weights(tmp_path / "w.weights.h5")
    shutil.move(tmp_path / "w.weights.h5", tmp_path / "w.h5")
    assert_refused(tmp_path / "w.h5", "If it holds weights alone, name it in models.toml")
