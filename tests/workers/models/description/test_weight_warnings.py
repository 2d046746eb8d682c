"""NaN and infinite weights are noticed."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.workers.models.description.hand_made import classifier, described
from tests.zoo import ZOO, seeded
from workers.engine.graph import Graph
from workers.models.description.weight_warnings import weight_warnings

layers = keras.layers


def spoil(model: keras.Model, layer: str, number: int, *values: float) -> None:
    """Replace the first values of weight `number` of a layer."""
    weight = model.get_layer(layer).weights[number]
    array = np.array(weight)
    array.reshape(-1)[: len(values)] = values
    weight.assign(array)


def test_the_layers_and_the_values_are_counted() -> None:
    model = seeded(classifier())
    assert described(model).warnings == ()
    spoil(model, "conv", 0, np.nan, np.nan, np.inf)
    spoil(model, "classify", 1, -np.inf)
    (warning,) = described(model).warnings
    assert warning.endswith("The layers are 'conv' (kernel: 2 NaN and 1 infinite of 162); 'classify' (bias: 1 infinite of 5).")


def test_a_layer_of_a_nested_model_is_named_by_its_path_and_once() -> None:
    model = ZOO["shared_model"]()
    base = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    spoil(base, "conv2", 1, np.nan)
    (warning,) = weight_warnings(Graph(model))
    assert warning.count("NaN of") == 1
    assert "'base/conv2' (bias: 1 NaN of 8)" in warning


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64"])
def test_large_and_half_precise_weights_are_finite(policy: str) -> None:
    """The sum of the values overflows float16 and float32, but each value is finite."""
    photo = keras.Input((7, 5, 3), name="photo")
    dense = layers.Dense(1000, dtype=policy, name="dense")
    model = keras.Model(photo, dense(layers.Flatten()(photo)))
    largest = 3e38 if "float16" not in policy or policy in ("bfloat16", "mixed_bfloat16") else 6e4
    dense.kernel.assign(np.full((105, 1000), largest))
    assert weight_warnings(Graph(model)) == ()
    dense.bias.assign(np.where(np.arange(1000) == 7, np.nan, 1.0))
    assert weight_warnings(Graph(model))[0].endswith("'dense' (bias: 1 NaN of 1000).")


def test_a_long_list_is_cut() -> None:
    photo = x = keras.Input((7, 5, 3), name="photo")
    for number in range(11):
        x = layers.Dense(3, name=f"dense{number}")(x)
    model = keras.Model(photo, x)
    for number in range(11):
        spoil(model, f"dense{number}", 0, np.nan)
    (warning,) = weight_warnings(Graph(model))
    assert "'dense7' (" in warning
    assert "'dense8'" not in warning
    assert warning.endswith("; and 3 more layers.")
