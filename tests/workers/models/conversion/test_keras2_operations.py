"""Operations in the graph of a Keras 2 file compute in Keras 3 what they computed, or are refused with a way out."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from schemas.errors import ModelLoadFailed
from tests.workers.models.entries import FIXTURES, file_entry
from workers.engine.graph import Graph
from workers.models.conversion.keras2_operations import convert_operation
from workers.models.loading import load_model


def operation(function: str, node: list[Any]) -> dict[str, Any]:
    """Return the entry of an operation's layer as Keras 2 stores it."""
    return {"class_name": "TFOpLambda", "config": {"name": "op", "function": function}, "name": "op", "inbound_nodes": [node]}


def test_the_layers_of_the_file_are_operations_of_keras_3() -> None:
    graph = Graph(load_model(file_entry(FIXTURES / "keras2_operations.h5")))
    kinds = {layer.path: type(layer.layer).__name__ for layer in graph.layers}
    assert kinds["tf.math.truediv"] == "TrueDivide"
    assert kinds["tf.nn.relu6"] == "Relu6"
    # Keras 3 allows no slash in a name, and `block1_conv` is the batch norm's name.
    assert (kinds["block1_conv_1"], kinds["block1_conv"], kinds["head_scores"]) == ("Conv2D", "BatchNormalization", "Dense")


def test_a_constant_may_stand_before_the_tensor() -> None:
    converted = convert_operation(operation("math.subtract", ["_CONSTANT_VALUE", -1, 1.0, {"y": ["conv", 0, 0]}]), "a.h5")
    (node,) = converted["inbound_nodes"]
    assert (converted["class_name"], node["args"][0]) == ("Subtract", 1.0)
    assert node["args"][1]["config"]["keras_history"] == ["conv", 0, 0]


@pytest.mark.parametrize(
    ("function", "node", "says"),
    [
        ("math.top_k", ["conv", 0, 0, {"k": 2}], "'math.top_k' of the Keras 2 layer 'op' has no known counterpart in Keras 3"),
        ("linalg.matmul", ["conv", 0, 0, {"b": ["conv", 0, 0], "transpose_b": True}], "has transpose_b = True"),
        ("image.resize", ["conv", 0, 0, {"size": [5, 7], "method": "mitchellcubic"}], "has method = mitchellcubic"),
    ],
)
def test_an_operation_without_a_counterpart_is_refused_with_a_recipe(function: str, node: list[Any], says: str) -> None:
    with pytest.raises(ModelLoadFailed, match=says) as failure:
        convert_operation(operation(function, node), "a.h5")
    assert "model.load_weights" in failure.value.detail


def test_the_advice_in_the_error_works() -> None:
    """The weights of a Keras 2 file are loaded into the same layers built in Keras 3."""
    source = load_model(file_entry(FIXTURES / "keras2_transfer.h5"))
    model = keras.models.clone_model(source)
    model.load_weights(FIXTURES / "keras2_transfer.h5")
    for got, expected in zip(model.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)
