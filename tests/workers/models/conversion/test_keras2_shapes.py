"""Files of Keras 2 that compute with `tf.shape` give the numbers of Keras 2, also for photos of another size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from schemas.errors import ModelLoadFailed
from tests.workers.models.entries import FIXTURES, file_entry
from workers.engine.graph import Graph
from workers.engine.sized_operation import SizedOperation, computed_sizes
from workers.models.loading import load_model

OUTPUTS = np.load(FIXTURES / "keras2_shapes_outputs.npz")
AREA = {"multiply": [{"item": {"shape": 0}, "at": 1}, {"item": {"shape": 0}, "at": 2}]}


@pytest.mark.parametrize(
    ("file", "photos"), [("keras2_shapes.h5", "fixed"), ("keras2_any_size.keras", "free"), ("keras2_any_size.keras", "other")]
)
def test_the_numbers_are_those_of_keras_2(file: str, photos: str) -> None:
    model = load_model(file_entry(FIXTURES / file))
    found = keras.tree.flatten(model(OUTPUTS[f"{photos}_photos"], training=False))
    for number, values in enumerate(found):
        np.testing.assert_allclose(np.asarray(values), OUTPUTS[f"{photos}_{number}"], rtol=1e-5, atol=1e-6)
    graph = Graph(model)
    names = graph.output_names
    again = graph.run(OUTPUTS[f"{photos}_photos"], [graph.topology.owners[graph.topology.output_tensor(n)] for n in range(len(names))])
    for values, expected in zip(again.values(), found, strict=True):
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)


def test_the_layers_that_only_compute_sizes_are_gone() -> None:
    model = load_model(file_entry(FIXTURES / "keras2_any_size.keras"))
    sized = {operation.name: operation.function for operation in model.operations if isinstance(operation, SizedOperation)}
    assert sorted(sized.values()) == ["broadcast_to", "reshape", "reshape", "resize", "value"]
    assert [tuple(tensor.shape) for tensor in model.outputs] == [(None, 3), (None, 2, 2), (None, 2, 4)]
    assert len(model.operations) == len({operation.name for operation in model.operations})


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (AREA, 35),
        ([{"item": {"shape": 0}, "at": 0}, AREA, 3], [None, 35, 3]),
        ({"item": {"shape": 0}, "at": [1, 3, None]}, [5, 7]),
        ({"item": {"shape": 1}, "at": [None, None, -1]}, [4, 9, 2]),
        ({"join": [{"item": {"shape": 0}, "at": [None, -1, None]}, [2, 2]]}, [None, 5, 7, 2, 2]),
        ({"product": {"item": {"shape": 1}, "at": [1, None, None]}}, 36),
        ({"product": {"shape": 0}}, None),
        ({"floordiv": [{"item": {"shape": 1}, "at": [1, 3, None]}, 2]}, [4, 2]),
        ({"subtract": [{"item": {"shape": 0}, "at": 0}, 1]}, None),
        ({"maximum": [{"item": {"shape": 1}, "at": 1}, 12]}, 12),
    ],
)
def test_sizes_by_hand(tree: Any, expected: Any) -> None:
    assert computed_sizes(tree, [(None, 5, 7, 3), (2, 9, 4)]) == expected


def test_a_reshape_keeps_the_sizes_that_are_known() -> None:
    photo = keras.Input((5, 7, 3))
    rows = SizedOperation("reshape", [{"item": {"shape": 0}, "at": 0}, AREA, -1])(photo, photo)
    assert tuple(rows.shape) == (None, 35, 3)
    flat = SizedOperation("reshape", [{"item": {"shape": 0}, "at": 0}, -1])(photo, photo)
    assert tuple(flat.shape) == (None, 105)
    free = keras.Input((None, None, 3))
    assert tuple(SizedOperation("reshape", [-1, AREA, 3])(free, free).shape) == (None, None, 3)


def test_a_function_without_a_counterpart_is_named(tmp_path: Path) -> None:
    """The product of sizes is read by a function that Keras 3 does not have."""
    path = tmp_path / "changed.h5"
    path.write_bytes((FIXTURES / "keras2_shapes.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        resize = next(layer for layer in config["config"]["layers"] if layer["config"].get("function") == "image.resize")
        resize["config"]["function"] = "image.warp"
        file.attrs["model_config"] = json.dumps(config)
    with pytest.raises(ModelLoadFailed, match=r"the operation 'image\.warp' of the Keras 2 layer .* Build the model again in Keras 3"):
        load_model(file_entry(path))
