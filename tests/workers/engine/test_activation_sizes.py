"""The sizes of activations are reckoned as worked by hand, and inputs beyond the limits are refused before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import psutil
import pytest
from keras import layers

from schemas.errors import InvalidParameters, ModelTooLarge, OutOfMemory
from tests.workers.models.entries import file_entry
from workers.engine.activation_guard import ActivationGuard
from workers.engine.activation_limits import ActivationLimits
from workers.engine.activation_sizes import ActivationSizes, activation_sizes, kept_from
from workers.engine.graph import Graph
from workers.engine.probe import KerasProbe
from workers.models.description.describe import describe


def sizes_of(model: keras.Model, height: int, width: int) -> ActivationSizes:
    graph = Graph(model)
    return activation_sizes(graph, graph.input_names[0], (height, width))


def stack(height: int | None, width: int | None) -> keras.Model:
    """A photo of 9 × 7, a convolution to 7 × 5 × 4 with its batch norm, a pooling to 3 × 2 × 4, dropout, and 24 values flattened."""
    photo = keras.Input((height, width, 3), name="photo")
    x = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="conv")(photo))
    x = layers.ReLU(name="relu")(x)
    x = layers.Dropout(0.5)(layers.MaxPooling2D(name="pool")(x))
    return keras.Model(photo, layers.Flatten()(x) if height else x)


@pytest.mark.parametrize("declared", [(9, 7), (None, None)])
def test_the_sizes_of_a_chain_are_those_worked_by_hand(declared: tuple[int | None, int | None]) -> None:
    photo, conv, pool = 4 * 9 * 7 * 3, 4 * 7 * 5 * 4, 4 * 3 * 2 * 4
    found = sizes_of(stack(*declared), 9, 7)
    # The norm is folded into the convolution; dropout and Flatten give back their input. The photo stays for the whole pass.
    assert found == ActivationSizes(photo, "photo", photo + 2 * conv, photo + 2 * conv + pool)


def test_the_peak_follows_from_what_is_still_to_be_read() -> None:
    """Two branches: `a` is read by the last layer and stays. `b`, `c` and `d` follow each other, so two of them live at a time."""
    photo = keras.Input((5, 3, 1), name="photo")
    a = layers.Conv2D(2, 1, name="a")(photo)
    x = a
    for name in ("b", "c", "d"):
        x = layers.Conv2D(2, 1, name=name)(x)
    found = sizes_of(keras.Model(photo, layers.Add(name="sum")([a, x])), 5, 3)
    one = 4 * 5 * 3 * 2
    assert found.kept == 4 * 15 + 5 * one
    assert found.peak == 4 * 15 + 3 * one


def test_each_call_of_a_shared_layer_and_of_a_nested_model_counts() -> None:
    inner = keras.Input((5, 3, 2))
    nested = keras.Model(inner, layers.Conv2D(2, 1)(inner), name="nested")
    photo = keras.Input((5, 3, 2), name="photo")
    shared = layers.Conv2D(2, 1)
    found = sizes_of(keras.Model(photo, nested(nested(shared(shared(photo))))), 5, 3)
    assert found.kept == 5 * 4 * 5 * 3 * 2


def test_the_products_of_attention_count() -> None:
    photo = keras.Input((None, None, 3), name="photo")
    x = layers.Reshape((-1, 6))(layers.Conv2D(6, 1)(photo))
    found = sizes_of(keras.Model(photo, layers.MultiHeadAttention(2, 3, name="attention")(x, x)), 5, 7)
    assert found.largest_layer == "attention"
    assert found.largest == 4 * (35 * 6 + 2 * 35 * 35)


def test_layers_that_do_not_fit_a_size_are_named_as_such() -> None:
    with pytest.raises(InvalidParameters, match="cannot process an input of 2 × 2"):
        sizes_of(stack(None, None), 2, 2)


def forty_concatenations() -> keras.Model:
    photo = keras.Input((8, 8, 3), name="photo")
    x = photo
    for number in range(40):
        x = layers.Concatenate(name=f"double{number}")([x, x])
    return keras.Model(photo, layers.GlobalAveragePooling2D()(x))


def sixty_additions() -> keras.Model:
    """A model of 76 parameters, with additions of 1,000 × 1,100 × 19 values, which are all kept for a gradient."""
    photo = keras.Input((1000, 1100, 3), name="photo")
    first = x = layers.Conv2D(19, 1, name="wide")(photo)
    for number in range(60):
        x = layers.Add(name=f"add{number}")([x, first])
    return keras.Model(photo, layers.GlobalAveragePooling2D()(x))


def wide_input(side: int) -> keras.Model:
    photo = keras.Input((side, side, 3), name="photo")
    return keras.Model(photo, layers.GlobalAveragePooling2D()(layers.Conv2D(16, 3, name="conv")(photo)))


def any_size_enlarged() -> keras.Model:
    photo = keras.Input((None, None, 3), name="photo")
    x = layers.UpSampling2D(100, name="up")(photo)
    return keras.Model(photo, layers.GlobalAveragePooling2D()(x))


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (forty_concatenations, r"Layer 'double39' .* gives [0-9,]{15,} bytes"),
        (sixty_additions, r"give 5,[0-9,]+ bytes together .* The largest is 'wide' with 83,600,000 bytes"),
        (lambda: wide_input(8000), "Layer 'conv' .* gives 4,093,952,256 bytes for one input of 8000 × 8000"),
        (lambda: wide_input(60_000), "Layer 'conv' .* for one input of 60000 × 60000"),
    ],
)
def test_a_model_that_would_take_all_memory_is_refused_when_it_is_described(build: Any, says: str) -> None:
    model, before = build(), psutil.Process().memory_info().rss
    with pytest.raises(ModelTooLarge, match=says):
        describe(model, file_entry(Path("hostile")))
    assert psutil.Process().memory_info().rss - before < 50 * 2**20


def test_a_model_of_any_size_is_refused_for_the_images_that_are_too_large() -> None:
    model = any_size_enlarged()
    probe = KerasProbe(model, describe(model, file_entry(Path("any"))))
    assert probe.forward(np.zeros((1, 3, 2, 3), np.float32), ["up"]).activations["up"].shape == (1, 300, 200, 3)
    with pytest.raises(ModelTooLarge, match=r"'up' .* gives 1,200,000,000 bytes for one input of 100 × 100"):
        probe.forward(np.zeros((1, 100, 100, 3), np.float32), ["up"])


def test_a_gradient_keeps_what_is_computed_from_its_layer() -> None:
    graph = Graph(stack(9, 7))
    found = activation_sizes(graph, "photo", (9, 7))
    conv, pool = 4 * 7 * 5 * 4, 4 * 3 * 2 * 4
    kept = {layer: kept_from(graph, found, layer) for layer in ("photo", "conv", "norm", "relu", "pool")}
    assert kept == {"photo": 2 * conv + pool, "conv": conv + pool, "norm": conv + pool, "relu": pool, "pool": 0}


def test_a_batch_beyond_the_limit_is_refused_and_a_smaller_one_runs() -> None:
    graph = Graph(stack(9, 7))
    found = activation_sizes(graph, "photo", (9, 7))
    limit = 3 * found.peak
    guard = ActivationGuard(graph, "photo", ActivationLimits(kept=limit))
    guard.check((3, 9, 7, 3))
    with pytest.raises(OutOfMemory, match=f"A batch of 4 inputs of 9 × 7 takes {4 * found.peak:,} bytes"):
        guard.check((4, 9, 7, 3))
    assert guard.most((9, 7), gradient=False) == 3
    assert guard.most((9, 7), gradient=True) == limit // found.kept == 2
