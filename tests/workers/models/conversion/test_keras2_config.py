"""Files that Keras 2 saved give the same outputs in Keras 3, or are refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from schemas.errors import ModelLoadFailed
from tests.workers.models.entries import FIXTURES, file_entry
from workers.engine.graph import Graph
from workers.models.description.describe import describe
from workers.models.loading import load_model

KERAS2 = np.load(FIXTURES / "keras2_outputs.npz", allow_pickle=False)


@pytest.mark.parametrize("name", ["every_layer", "transfer", "operations"])
def test_a_file_of_keras_2_computes_what_keras_2_computed(name: str) -> None:
    model = load_model(file_entry(FIXTURES / f"keras2_{name}.h5"))
    np.testing.assert_allclose(np.asarray(model(KERAS2[f"{name}_input"])), KERAS2[f"{name}_output"], atol=1e-6)


def test_the_layers_of_a_nested_model_are_visible() -> None:
    entry = file_entry(FIXTURES / "keras2_transfer.h5")
    description = describe(load_model(entry), entry).description
    assert (description.head, description.classes, description.default_layer) == ("binary", 2, "vgg16/block2_conv1")
    assert description.layer_at("vgg16/block1_bn").output_shape == (20, 16, 4)


def with_config(path: Path, change: Callable[[dict[str, Any]], None], source: str = "keras2_transfer.h5") -> Path:
    shutil.copy(FIXTURES / source, path)
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)
    return path


def test_a_configuration_of_keras_2_0_is_read(tmp_path: Path) -> None:
    """In Keras 2.0 a Sequential's configuration is the list of its layers, without an InputLayer, and a Functional model is a `Model`."""

    def make_old(config: dict[str, Any]) -> None:
        _, base, *rest = config["config"]["layers"]
        base["class_name"] = "Model"
        config["config"] = [base, *rest]

    model = load_model(file_entry(with_config(tmp_path / "old.h5", make_old)))
    np.testing.assert_allclose(np.asarray(model(KERAS2["transfer_input"])), KERAS2["transfer_output"], atol=1e-6)
    assert "vgg16/block2_conv1" in [layer.path for layer in Graph(model).layers]


def set_in_layer(name: str, **arguments: Any) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == name)["config"].update(arguments)

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (set_in_layer("conv", activation="hard_sigmoid"), "'conv' uses hard_sigmoid of Keras 2, which is another function in Keras 3"),
        (set_in_layer("depthwise", groups=2), "DepthwiseConv2D 'depthwise' has groups = 2, which Keras 3 does not have"),
    ],
)
def test_a_layer_that_keras_3_computes_differently_is_refused(tmp_path: Path, change: Callable[[dict[str, Any]], None], says: str) -> None:
    path = with_config(tmp_path / "other.h5", change, "keras2_every_layer.h5")
    with pytest.raises(ModelLoadFailed, match=says):
        load_model(file_entry(path))


def test_a_mixed_precision_policy_is_read(tmp_path: Path) -> None:
    policy = {"class_name": "Policy", "config": {"name": "mixed_bfloat16"}}
    path = with_config(tmp_path / "mixed.h5", set_in_layer("depthwise", dtype=policy), "keras2_every_layer.h5")
    model = load_model(file_entry(path))
    assert model.get_layer("depthwise").compute_dtype == "bfloat16"
    np.testing.assert_allclose(np.asarray(model(KERAS2["every_layer_input"])), KERAS2["every_layer_output"], atol=0.01)
