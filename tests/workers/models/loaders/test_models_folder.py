from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from schemas.errors import ModelLoadFailed
from tests.workers.models.entries import file_entry
from workers.models.limits import ModelLimits
from workers.models.loading import load_model

layers = keras.layers
PHOTO = np.random.default_rng(4).uniform(-1, 1, (2, 9, 7, 3)).astype(np.float32)


def small(*extra: Any, legacy: bool = False) -> keras.Model:
    """A Functional model with a nested one and an operation of `keras.ops`, 9 × 7 pixels to 4 classes."""
    inner_input = keras.Input((9, 7, 3))
    base = keras.Model(inner_input, layers.Conv2D(5, 3, activation="relu", name="conv")(inner_input), name="base")
    photo = keras.Input((9, 7, 3), name="photo")
    x = layers.BatchNormalization(name="bn")(base(photo))
    if not legacy:  # Keras cannot read operations back from `.h5`
        x = keras.ops.maximum(x, 0.1 * x)
    for layer in extra:
        x = layer(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(photo, layers.Dense(4, activation="softmax", name="scores")(x), name="small")


def load(path: Path, **limits: int) -> keras.Model:
    return load_model(file_entry(path), ModelLimits(**limits))


def refused(path: Path, says: str, **limits: int) -> None:
    """Refused with words that name the file and not where it lies."""
    with pytest.raises(ModelLoadFailed, match=says) as failure:
        load(path, **limits)
    assert path.name in failure.value.detail
    assert str(path.parent) not in failure.value.detail


@pytest.fixture
def h5(tmp_path: Path) -> Path:
    """A Sequential model as Keras 3 saves it to `.h5`."""
    model = keras.Sequential([keras.Input((9, 7, 3)), layers.Conv2D(5, 3, name="conv"), layers.Flatten(), layers.Dense(2, name="scores")])
    model.save(tmp_path / "plain.h5")
    return tmp_path / "plain.h5"


@pytest.mark.filterwarnings("ignore:.*HDF5 file via:UserWarning")
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".KERAS", ".H5"])
def test_a_saved_model_answers_as_before(tmp_path: Path, suffix: str) -> None:
    model = small(legacy=suffix.lower() == ".h5")
    model.compile("adam", "categorical_crossentropy")
    model.save(tmp_path / f"small{suffix.lower()}")
    (tmp_path / f"small{suffix.lower()}").rename(tmp_path / f"small{suffix}")
    loaded = load(tmp_path / f"small{suffix}")
    np.testing.assert_array_equal(np.asarray(loaded(PHOTO)), np.asarray(model(PHOTO)))
    assert not loaded.compiled


def test_a_mixed_precision_sequential_answers_as_before(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((9, 7, 3)), layers.Conv2D(5, 3, dtype="mixed_bfloat16"), layers.Flatten(), layers.Dense(2)])
    model.save(tmp_path / "mixed.keras")
    np.testing.assert_array_equal(np.asarray(load(tmp_path / "mixed.keras")(PHOTO)), np.asarray(model(PHOTO)))


@keras.saving.register_keras_serializable(package="mine")
class Twice(layers.Layer):
    def call(self, x: Any) -> Any:
        return 2 * x


def as_config(change: Callable[[dict[str, Any]], None], path: Path) -> Path:
    """`small` as a .keras file whose configuration was changed by hand."""
    whole = path.with_name("whole.keras")
    small().save(whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config).encode()
            target.writestr(name, content)
    return path


def layer_config(config: dict[str, Any], name: str) -> dict[str, Any]:
    return next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == name)


@pytest.mark.filterwarnings("ignore:.*HDF5 file via:UserWarning")
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_lambda_layer_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    small(layers.Lambda(lambda x: x + 1)).save(tmp_path / f"lambda{suffix}")
    refused(tmp_path / f"lambda{suffix}", "contains a Lambda layer")


@pytest.mark.parametrize("name", ["TFSMLayer", "TorchModuleWrapper", "JaxLayer"])
def test_layers_that_carry_code_are_refused_by_name(tmp_path: Path, name: str) -> None:
    refused(
        as_config(lambda config: layer_config(config, "bn").update(class_name=name), tmp_path / "evil.keras"), f"contains a {name} layer"
    )


def test_a_class_of_ones_own_is_refused_by_name(tmp_path: Path) -> None:
    small(Twice()).save(tmp_path / "own.keras")
    refused(tmp_path / "own.keras", "'mine>Twice', which Keras 3")


@keras.saving.register_keras_serializable(package="mine")
class Subclassed(keras.Model):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conv, self.scores = layers.Conv2D(4, 3, name="conv"), layers.Dense(2, name="scores")

    def call(self, x: Any) -> Any:
        return self.scores(keras.ops.mean(self.conv(x), axis=(1, 2)))


def test_a_subclassed_model_is_refused_with_what_to_do_and_that_works(tmp_path: Path) -> None:
    model = Subclassed()
    expected = np.asarray(model(PHOTO))
    model.save(tmp_path / "subclassed.keras")
    refused(tmp_path / "subclassed.keras", r"'mine>Subclassed', .* keras\.Model\(inputs, model\.call\(inputs\)\)\.save")
    inputs = keras.Input(PHOTO.shape[1:])
    keras.Model(inputs, model.call(inputs)).save(tmp_path / "functional.keras")
    np.testing.assert_array_equal(np.asarray(load(tmp_path / "functional.keras")(PHOTO)), expected)


def test_a_channels_first_file_is_turned(tmp_path: Path) -> None:
    stack = [layers.Conv2D(4, 3, data_format="channels_first", name="conv"), layers.Flatten(name="flatten"), layers.Dense(2)]
    model = keras.Sequential([keras.Input((3, 9, 7)), *stack])
    model.save(tmp_path / "first.keras")
    loaded = load(tmp_path / "first.keras")
    assert loaded.input_shape == (None, 9, 7, 3)
    np.testing.assert_allclose(np.asarray(loaded(PHOTO)), np.asarray(model(PHOTO.transpose(0, 3, 1, 2))), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda config: layer_config(config, "bn").update(class_name="Popen", module="subprocess"), "'Popen'|'BatchNormalization'"),
        (lambda config: layer_config(config, "bn").update(class_name="get_file", module="keras.utils"), "'get_file'|'BatchNormalization'"),
        (lambda config: layer_config(config, "bn")["config"].update(dtype={"class_name": "__lambda__", "config": {}}), "__lambda__"),
        (
            lambda config: layer_config(config, "scores")["config"].update(
                activation={"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"}
            ),
            "names the function 'eval'",
        ),
        (lambda config: config.update(class_name="Dense"), "could not be loaded|not a model"),
    ],
)
def test_what_is_not_a_keras_layer_is_refused(tmp_path: Path, change: Callable[[dict[str, Any]], None], says: str) -> None:
    refused(as_config(change, tmp_path / "evil.keras"), says)


def test_limits_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "small.keras"
    model = small()
    model.save(path)
    parameters = model.count_params()
    assert load(path, max_parameters=parameters, max_file_bytes=path.stat().st_size).count_params() == parameters
    refused(path, f"has {parameters} parameters; at most {parameters - 1}", max_parameters=parameters - 1)
    refused(path, f"has {path.stat().st_size} bytes; at most {path.stat().st_size - 1}", max_file_bytes=path.stat().st_size - 1)
    refused(path, "expands to", max_expanded_bytes=1000)
    refused(path, r"has \d+ layers; at most 5", max_layers=5)


def test_a_model_that_claims_too_many_parameters_takes_no_memory(tmp_path: Path) -> None:
    """10^12 parameters would be 4 TB: counted, refused, never allocated."""

    def claim(config: dict[str, Any]) -> None:
        layer_config(config, "scores")["config"]["units"] = 2 * 10**11

    refused(as_config(claim, tmp_path / "huge.keras"), "has 1200000000160 parameters; at most 200000000")


def test_weights_that_would_expand_are_refused(tmp_path: Path, h5: Path) -> None:
    with h5py.File(h5, "a") as file:
        file.create_dataset("model_weights/bomb", (2**30,), "f8", chunks=(2**20,), compression="gzip")
    assert h5.stat().st_size < 10**6
    refused(h5, "expands to 8589[0-9]+ bytes")
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        with archive.open("model.weights.h5", "w") as member:
            for _ in range(64):
                member.write(bytes(2**20))
    assert path.stat().st_size < 10**5
    refused(path, "expands to 67108866 bytes; at most 1000000", max_expanded_bytes=10**6)


@pytest.mark.parametrize("link", ["external", "soft", "external dataset", "virtual dataset"])
def test_an_hdf5_file_that_points_elsewhere_is_refused(h5: Path, link: str) -> None:
    secret = h5.with_name("secret.bin")
    secret.write_bytes(bytes(100))
    with h5py.File(h5, "a") as file:
        group = file["model_weights"].create_group("more")
        if link == "external":
            group["w"] = h5py.ExternalLink(str(secret), "/w")
        elif link == "soft":
            group["w"] = h5py.SoftLink("/model_weights")
        elif link == "external dataset":
            group.create_dataset("w", (5,), "f4", external=[(str(secret), 0, 20)])
        else:
            layout = h5py.VirtualLayout((5,), "f4")
            layout[:] = h5py.VirtualSource(str(secret), "w", (5,))
            group.create_virtual_dataset("w", layout)
    refused(
        h5,
        "/model_weights/more/w (is a (External|Soft)Link|keeps its values in another file)",
    )


def test_a_group_inside_itself_ends(h5: Path) -> None:
    with h5py.File(h5, "a") as file:
        file["model_weights"]["again"] = file["model_weights"]
    assert load(h5).count_params() == 5 * 28 + 2 * 176


@pytest.mark.parametrize("name", ["text.keras", "text.h5"])
def test_what_is_no_model_file_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("not a model")
    refused(tmp_path / name, "damaged")
    (tmp_path / name).unlink()
    refused(tmp_path / name, "is not in the models folder")


def test_a_damaged_file_is_said(tmp_path: Path, h5: Path) -> None:
    with h5py.File(h5, "a") as file:
        del file["model_weights/conv"]
    refused(h5, "could not be loaded: KeyError")
    with h5py.File(h5, "a") as file:
        del file["model_weights"]
    refused(h5, "holds no whole model")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    refused(tmp_path / "empty.keras", "lacks config.json or model.weights.h5")
    refused(as_config(lambda config: config.pop("class_name"), tmp_path / "nameless.keras"), "names no model class")


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built:UserWarning")
def test_a_model_without_an_input_shape_is_said(tmp_path: Path) -> None:
    model = keras.Sequential([layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()])
    model.save(tmp_path / "shapeless.keras")
    refused(tmp_path / "shapeless.keras", "without an input shape")


def test_weights_alone_are_no_model(tmp_path: Path) -> None:
    small().save_weights(tmp_path / "w.weights.h5")
    shutil.move(tmp_path / "w.weights.h5", tmp_path / "w.h5")
    refused(tmp_path / "w.h5", "If it holds weights alone, name it in models.toml")
