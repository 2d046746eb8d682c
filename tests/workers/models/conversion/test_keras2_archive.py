"""Files that TensorFlow 2.13 and 2.15 wrote compute in Keras 3 what they computed there."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from schemas.errors import ModelLoadFailed
from tests.workers.models.entries import FIXTURES, file_entry
from tests.workers.models.model_files import copy_with_config
from workers.models.conversion.keras2_archive import count_layers_without_gaps, in_hdf5_form
from workers.models.loading import load_model


@pytest.mark.parametrize("file", ["tf213_everything.keras", "tf215_everything.keras", "tf215_everything.h5"])
def test_the_file_computes_what_its_own_version_computed(file: str) -> None:
    expected = np.load(FIXTURES / f"{file[:5]}_outputs.npz", allow_pickle=False)
    model = load_model(file_entry(FIXTURES / file))
    np.testing.assert_allclose(model(expected["input"], training=False), expected["output"], atol=1e-6)


def test_the_loss_and_the_metric_are_no_layers() -> None:
    model = load_model(file_entry(FIXTURES / "tf215_everything.keras"))
    assert {"base", "scores", "timed"} <= {layer.name for layer in model.layers}
    assert not {layer.name for layer in model.layers} & {"add_loss", "add_metric"}


def test_counted_layers_lose_the_gaps() -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for number, name in enumerate(("conv2d", "conv2d_2", "conv2d_10", "re_lu", "dense_1")):
            file[f"_layer_checkpoint_dependencies/{name}/vars/0"] = number
            file[f"_layer_checkpoint_dependencies/functional/_layer_checkpoint_dependencies/{name}/vars/0"] = number
        count_layers_without_gaps(file)
        for group in (file, file["_layer_checkpoint_dependencies/functional"]):
            layers = group["_layer_checkpoint_dependencies"]
            got = {name: int(layer["vars/0"][()]) for name, layer in layers.items() if name != "functional"}
            assert got == {"conv2d": 0, "conv2d_1": 1, "conv2d_2": 2, "re_lu": 3, "dense_0": 4}


def test_an_object_inside_a_layer_keeps_a_module_that_keras_3_has() -> None:
    inner = {"module": "tf_keras.layers", "class_name": "Conv1D", "config": {"filters": 2}, "registered_name": None}
    layer = {"module": "keras.layers", "class_name": "TimeDistributed", "config": {"layer": inner}, "build_config": {}, "name": "timed"}
    model = {"module": "tf_keras.src.engine.functional", "class_name": "Functional", "config": {"layers": [layer]}}
    assert in_hdf5_form(model) == {
        "class_name": "Functional",
        "config": {
            "layers": [{"class_name": "TimeDistributed", "config": {"layer": {**inner, "module": "keras.layers"}}, "name": "timed"}]
        },
    }


def test_a_class_of_a_package_is_refused_by_its_name(tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][-1] |= {"module": None, "class_name": "Croak", "registered_name": "Frogs>Croak"}

    path = copy_with_config(FIXTURES / "tf215_everything.keras", tmp_path / "frogs.keras", change)
    with pytest.raises(ModelLoadFailed, match="contains the class 'Frogs>Croak'"):
        load_model(file_entry(path))


def test_the_advice_for_an_operation_without_counterpart_works_for_an_archive_too(tmp_path: Path) -> None:
    """The same layers built in Keras 3 take the weights of a `.keras` file of TensorFlow 2.15."""
    source = load_model(file_entry(FIXTURES / "tf215_everything.keras"))
    model = keras.models.clone_model(source)
    model.load_weights(FIXTURES / "tf215_everything.keras")
    for got, expected in zip(model.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)
