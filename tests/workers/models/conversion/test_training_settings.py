"""The training settings in a file do not matter: they are neither checked nor built."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.workers.models.model_files import IMAGES, assert_refused, load
from workers.models.conversion.training_settings import without_training_settings

layers = keras.layers
pytestmark = pytest.mark.filterwarnings("ignore:.*HDF5 file via:UserWarning")


def own_metric(y: Any, p: Any) -> Any:
    return keras.ops.mean(y * p)


@keras.saving.register_keras_serializable(package="training")
class OwnLoss(keras.losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean(y_true - y_pred, axis=-1)


@keras.saving.register_keras_serializable(package="training")
class OwnOptimizer(keras.optimizers.SGD):
    pass


@keras.saving.register_keras_serializable(package="training")
class OwnSchedule(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step: Any) -> Any:
        return 0.1

    def get_config(self) -> dict[str, Any]:
        return {}


@keras.saving.register_keras_serializable(package="training")
class OwnRegularizer(keras.regularizers.Regularizer):
    def __call__(self, x: Any) -> Any:
        return keras.ops.sum(x)

    def get_config(self) -> dict[str, Any]:
        return {}


@keras.saving.register_keras_serializable(package="training")
class OwnConstraint(keras.constraints.Constraint):
    pass


@keras.saving.register_keras_serializable(package="training")
class OwnInitializer(keras.initializers.RandomNormal):
    pass


def small(**arguments: Any) -> keras.Model:
    photo = keras.Input(IMAGES.shape[1:], name="photo")
    x = layers.Conv2D(5, 3, activation="relu", name="conv", **arguments)(photo)
    return keras.Model(photo, layers.Dense(4, activation="softmax", name="scores")(layers.GlobalAveragePooling2D()(x)))


def assert_answers_as_before(model: keras.Model, path: Path) -> None:
    model.save(path)
    loaded = load(path)
    np.testing.assert_array_equal(np.asarray(loaded(IMAGES)), np.asarray(model(IMAGES)))
    assert not loaded.compiled


COMPILED: dict[str, dict[str, Any]] = {
    "schedule": {"optimizer": keras.optimizers.schedules.CosineDecay(0.1, 10), "loss": "mse"},
    "own schedule": {"optimizer": OwnSchedule(), "loss": "mse"},
    "metric function of Keras": {"optimizer": "sgd", "loss": "mse", "metrics": [keras.metrics.categorical_accuracy]},
    "own metric": {"optimizer": "adam", "loss": "mse", "metrics": [own_metric]},
    "own loss": {"optimizer": "adam", "loss": OwnLoss()},
    "own loss function": {"optimizer": "adam", "loss": own_metric},
    "own optimizer": {"optimizer": OwnOptimizer, "loss": "mse"},
}


@pytest.mark.parametrize("settings", COMPILED)
def test_compile_settings_do_not_matter(tmp_path: Path, settings: str) -> None:
    model = small()
    model.compile(**{name: fresh(value) for name, value in COMPILED[settings].items()})
    model.fit(IMAGES, np.eye(4, dtype=np.float32)[: len(IMAGES)], verbose=0)  # so that the file holds the optimiser's variables too
    for suffix in (".keras", ".h5"):
        assert_answers_as_before(model, tmp_path / f"compiled{suffix}")


def fresh(setting: Any) -> Any:
    """Return an optimiser for a schedule or an optimiser's class, since an optimiser trains one model only; other settings stay."""
    if isinstance(setting, keras.optimizers.schedules.LearningRateSchedule):
        return keras.optimizers.Adam(setting)
    return setting() if isinstance(setting, type) else setting


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_nested_model_that_was_compiled_is_loaded(tmp_path: Path, suffix: str) -> None:
    base = small()
    base.compile(OwnOptimizer(), OwnLoss(), metrics=[own_metric])
    photo = keras.Input(IMAGES.shape[1:])
    assert_answers_as_before(keras.Model(photo, layers.Dense(2, name="top")(base(photo))), tmp_path / f"nested{suffix}")


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_regularizer": OwnRegularizer()},
        {"activity_regularizer": OwnRegularizer(), "bias_regularizer": "l2"},
        {"kernel_constraint": OwnConstraint()},
        {"kernel_initializer": OwnInitializer()},
    ],
    ids="-".join,
)
def test_what_acts_on_a_layer_in_training_alone_does_not_matter(tmp_path: Path, suffix: str, arguments: dict[str, Any]) -> None:
    assert_answers_as_before(small(**arguments), tmp_path / f"small{suffix}")


def test_compile_settings_are_never_deserialised(tmp_path: Path) -> None:
    """A nested model's settings name a class that would end the test if Keras made one of it."""
    base = small()
    base.compile("sgd", "mse")
    photo = keras.Input(IMAGES.shape[1:])
    model = keras.Model(photo, layers.Dense(2)(base(photo)))
    model.save(tmp_path / "whole.keras")
    with zipfile.ZipFile(tmp_path / "whole.keras") as source, zipfile.ZipFile(tmp_path / "evil.keras", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                nested = next(layer for layer in config["config"]["layers"] if layer["class_name"] == "Functional")
                assert nested["compile_config"]
                nested["compile_config"] = {"optimizer": {"module": "builtins", "class_name": "__lambda__", "config": {}}}
                content = json.dumps(config).encode()
            target.writestr(name, content)
    np.testing.assert_array_equal(np.asarray(load(tmp_path / "evil.keras")(IMAGES)), np.asarray(model(IMAGES)))


def test_a_layer_of_the_authors_own_is_still_refused(tmp_path: Path) -> None:
    @keras.saving.register_keras_serializable(package="training")
    class OwnLayer(layers.Layer):
        def call(self, x: Any) -> Any:
            return 2 * x

    photo = keras.Input(IMAGES.shape[1:])
    model = keras.Model(photo, layers.Flatten()(OwnLayer()(photo)))
    model.compile("sgd", OwnLoss())
    model.save(tmp_path / "own.keras")
    assert_refused(tmp_path / "own.keras", "'training>OwnLayer', which Keras 3")


def test_the_rest_of_a_configuration_stays_and_the_argument_is_not_changed() -> None:
    own = {"class_name": "HeNormal", "module": "keras.initializers", "config": {"seed": 3}, "registered_name": None}
    config = {
        "class_name": "Conv2D",
        "config": {"name": "conv", "kernel_initializer": own, "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.1}}},
        "compile_config": {"loss": "mse"},
    }
    wrapper = {"class_name": "TimeDistributed", "config": {"name": "each", "layer": config}}
    before = json.dumps(wrapper)
    assert without_training_settings(wrapper) == {
        "class_name": "TimeDistributed",
        "config": {
            "name": "each",
            "layer": {"class_name": "Conv2D", "config": {"name": "conv", "kernel_initializer": own, "kernel_regularizer": None}},
        },
    }
    assert json.dumps(wrapper) == before
