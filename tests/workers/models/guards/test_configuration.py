"""A configuration may name only classes and functions that are Keras's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.workers.models.model_files import IMAGES, assert_refused, layer_config, load, small_model, with_config

layers = keras.layers


@keras.saving.register_keras_serializable(package="mine")
class Twice(layers.Layer):
    def call(self, x: Any) -> Any:
        return 2 * x


@pytest.mark.filterwarnings("ignore:.*HDF5 file via:UserWarning")
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_lambda_layer_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    small_model(layers.Lambda(lambda x: x + 1)).save(tmp_path / f"lambda{suffix}")
    assert_refused(tmp_path / f"lambda{suffix}", "contains a Lambda layer")


@pytest.mark.parametrize("name", ["TFSMLayer", "TorchModuleWrapper", "JaxLayer"])
def test_layers_that_carry_code_are_refused_by_name(tmp_path: Path, name: str) -> None:
    assert_refused(
        with_config(lambda config: layer_config(config, "bn").update(class_name=name), tmp_path / "evil.keras"), f"contains a {name} layer"
    )


def test_a_class_that_is_not_from_keras_is_refused_by_name(tmp_path: Path) -> None:
    small_model(Twice()).save(tmp_path / "own.keras")
    assert_refused(tmp_path / "own.keras", "'mine>Twice', which Keras 3")


@keras.saving.register_keras_serializable(package="mine")
class Subclassed(keras.Model):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conv, self.scores = layers.Conv2D(4, 3, name="conv"), layers.Dense(2, name="scores")

    def call(self, x: Any) -> Any:
        return self.scores(keras.ops.mean(self.conv(x), axis=(1, 2)))


def test_a_subclassed_model_is_refused_and_the_advice_in_the_error_works(tmp_path: Path) -> None:
    model = Subclassed()
    expected = np.asarray(model(IMAGES))
    model.save(tmp_path / "subclassed.keras")
    assert_refused(tmp_path / "subclassed.keras", r"'mine>Subclassed', .* keras\.Model\(inputs, model\.call\(inputs\)\)\.save")
    inputs = keras.Input(IMAGES.shape[1:])
    keras.Model(inputs, model.call(inputs)).save(tmp_path / "functional.keras")
    np.testing.assert_array_equal(np.asarray(load(tmp_path / "functional.keras")(IMAGES)), expected)


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
    assert_refused(with_config(change, tmp_path / "evil.keras"), says)
