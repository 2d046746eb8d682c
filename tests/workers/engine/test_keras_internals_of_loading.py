"""The internals of Keras that name, draw and load models still do what `workers.models` needs; see `test_keras_internals.py`."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.workers.engine.support import diamond, moved
from tests.zoo import seeded
from workers.engine import keras_internals


def test_the_scale_layer_of_inception_resnet_adds() -> None:
    layer = keras_internals.CustomScaleLayer(0.5)
    np.testing.assert_array_equal(layer([tf.ones((1, 2)), tf.ones((1, 2)) * 4]), [[3, 3]], err_msg=moved("CustomScaleLayer"))


def test_what_can_be_stored_has_one_base() -> None:
    for class_ in (keras.Layer, keras.Model, keras_internals.Functional):
        assert issubclass(class_, keras_internals.KerasSaveable), moved("KerasSaveable")


@pytest.mark.parametrize(
    ("class_", "package"),
    [
        (layers.Conv2D, "layers.convolutional."),
        (layers.ReLU, "layers.activations."),
        (layers.BatchNormalization, "layers.normalization."),
        (layers.MaxPooling2D, "layers.pooling."),
        (layers.Add, "layers.merging."),
        (layers.Reshape, "layers.reshaping."),
        (layers.Dropout, "layers.regularization."),
        (layers.Rescaling, "layers.preprocessing."),
        (layers.LSTM, "layers.rnn."),
        (layers.MultiHeadAttention, "layers.attention."),
        (keras_internals.Relu, "ops.nn"),
        (Path, ""),
    ],
)
def test_classes_stand_in_the_package_of_their_kind(class_: type, package: str) -> None:
    found = keras_internals.source_package(class_)
    assert found.startswith(package), moved(f"the module of {class_.__name__}")
    assert package or not found


@pytest.mark.parametrize(
    ("name", "module"),
    [("TrueDivide", "numpy"), ("Relu6", "nn"), ("Resize", "image"), ("Cast", "core"), ("Rsqrt", "math"), ("Det", "linalg")],
)
def test_operations_are_found_in_their_modules(name: str, module: str) -> None:
    assert keras_internals.operation_module(name) == f"keras.src.ops.{module}", moved(f"the operation {name}")
    assert keras_internals.operation_module("Conv2D") is None


def test_random_initialisers_have_one_base() -> None:
    for name in ("GlorotUniform", "HeNormal", "RandomNormal", "TruncatedNormal", "VarianceScaling"):
        assert issubclass(getattr(keras.initializers, name), keras_internals.RandomInitializer), moved(f"the base of {name}")
    assert not issubclass(keras.initializers.Zeros, keras_internals.RandomInitializer)


def test_a_declared_variable_is_drawn_by_the_initialiser_given() -> None:
    with keras_internals.declare_variables_only():
        layer = layers.Dense(2, kernel_initializer="he_normal")
        layer.build((None, 3))
    kernel, bias = layer.weights
    assert isinstance(keras_internals.initializer_of(kernel), keras.initializers.HeNormal), moved("Variable._initializer")
    keras_internals.draw_declared(kernel, keras.initializers.Ones())
    keras_internals.draw_declared(bias, keras_internals.initializer_of(bias))
    np.testing.assert_array_equal(kernel, np.ones((3, 2)), err_msg=moved("Variable._deferred_initialize"))
    np.testing.assert_array_equal(bias, np.zeros(2), err_msg=moved("Variable._deferred_initialize"))


def test_declared_variables_are_forgotten_by_keras() -> None:
    """Without this, Keras would draw `dropped` at the end of the second scope, and raise because `kept` has a value."""
    with keras_internals.declare_variables_only():
        dropped, kept = layers.Dense(2), layers.Dense(2, use_bias=False)
        dropped.build((None, 3))
        kept.build((None, 3))
    keras_internals.draw_declared(kept.weights[0], keras.initializers.Ones())
    with keras.StatelessScope():
        created = layers.Dense(2)
        created.build((None, 3))
    assert all(variable._value is None for variable in dropped.weights), moved("the list of declared variables")
    assert all(variable._value is not None for variable in created.weights), moved("the list of declared variables")


def archive_config(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))


@contextmanager
def archive_weights(path: Path) -> Iterator[h5py.File]:
    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        yield file


def test_the_weights_of_an_archive_are_read(tmp_path: Path) -> None:
    model = seeded(diamond())
    model.save(tmp_path / "model.keras")
    loaded = keras_internals.model_from_archive_config(archive_config(tmp_path / "model.keras"), {})
    with archive_weights(tmp_path / "model.keras") as file:
        keras_internals.load_archive_weights(file, loaded)
    for got, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected, err_msg=moved("saving_lib._load_state"))


def test_an_archive_without_the_weights_of_a_layer_is_refused(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((2,)), layers.Flatten()]).save(tmp_path / "empty.keras")
    model = keras.Sequential([keras.Input((2,)), layers.Dense(3)])
    with archive_weights(tmp_path / "empty.keras") as file, pytest.raises(ValueError, match="could not be loaded"):
        keras_internals.load_archive_weights(file, model)


def test_code_in_an_archive_is_refused(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((2,)), layers.Lambda(lambda x: x + 1)]).save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="Python lambda"):
        keras_internals.model_from_archive_config(archive_config(tmp_path / "model.keras"), {})


def test_a_legacy_file_is_read(tmp_path: Path) -> None:
    model = seeded(keras.Sequential([keras.Input((3,), name="x"), layers.Dense(2, name="dense")]))
    path = tmp_path / "model.h5"
    model.save(path)
    with h5py.File(path) as file:
        config = json.loads(file.attrs["model_config"])
        loaded = keras_internals.model_from_hdf5_config(config, {})
        keras_internals.load_hdf5_weights(file["model_weights"], loaded)
    for got, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected, err_msg=moved("legacy_h5_format.load_weights_from_hdf5_group"))


def test_the_folder_of_downloads_is_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "weights.bin"
    source.write_bytes(b"weights")
    monkeypatch.setattr(keras_internals.KERAS_FOLDER_VARIABLE, str(tmp_path))
    found = keras.utils.get_file("weights.bin", source.as_uri())
    assert Path(found).is_relative_to(tmp_path / "datasets"), moved(keras_internals.KERAS_FOLDER_VARIABLE)
