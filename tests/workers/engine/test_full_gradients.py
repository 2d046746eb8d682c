"""Full gradients: parts worked by hand, and their sum, which is the score, for every kind of layer."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers

from schemas import errors
from tests.workers.engine.support import probe_of
from tests.zoo import HEAD, ZOO, photo_batch
from workers.contract.full_gradients import FullGradients
from workers.contract.probe import Probe
from workers.contract.scores import Readout

PHOTO = np.array([[[[1.0], [2], [-3]]]], np.float32)  # (1, 1, 3, 1)


def total(found: FullGradients, tensor: np.ndarray) -> np.ndarray:
    """Return the sum of all parts, (N,)."""
    biases = sum(parts.reshape(len(tensor), -1).sum(axis=1, dtype=np.float64) for parts in found.biases.values())
    return (found.gradients * tensor).sum(axis=(1, 2, 3), dtype=np.float64) + biases + found.rest


def error(probe: Probe, tensor: np.ndarray, class_index: int = 0) -> float:
    """Return the largest |sum of the parts − logit| as a share of the largest |logit|."""
    found = probe.full_gradients(tensor, np.full(len(tensor), class_index, np.int32))
    logits = found.logits[:, class_index]
    return float(np.abs(total(found, tensor) - logits).max() / np.abs(logits).max())


def test_parts_by_hand() -> None:
    photo = keras.Input((1, 3, 1), name="photo")
    x = layers.Conv2D(1, 1, activation="relu", name="conv")(photo)  # relu(2x + 1): 3, 5, 0
    model = keras.Model(photo, layers.Dense(2, activation="softmax", name="head")(layers.Flatten()(x)))
    model.get_layer("conv").set_weights([np.full((1, 1, 1, 1), 2, "float32"), np.ones(1, "float32")])
    model.get_layer("head").set_weights([np.array([[1, 0], [10, -1], [100, 7]], "float32"), np.array([0.5, -2], "float32")])
    found = probe_of(model).full_gradients(PHOTO, np.array([0], np.int32))
    np.testing.assert_allclose(found.logits, [[53.5, -7]])
    # the third position is cut off by the ReLU, the others have the gradients 1 and 10 after it
    np.testing.assert_allclose(found.gradients[0, 0, :, 0], [2, 20, 0])
    np.testing.assert_allclose(found.biases["conv"][0, 0, :, 0], [1, 10, 0])
    np.testing.assert_allclose(found.biases["head"], [[0.5, 0]])
    np.testing.assert_allclose(found.rest, [0])
    assert total(found, PHOTO) == pytest.approx(53.5)


def test_batch_norm_is_merged_and_a_ceiling_is_a_bias() -> None:
    photo = keras.Input((1, 3, 1), name="photo")
    x = layers.BatchNormalization(name="norm", epsilon=0)(layers.Conv2D(1, 1, name="conv")(photo))
    x = layers.ReLU(max_value=6, name="relu6")(x)
    model = keras.Model(photo, layers.Dense(1, name="head")(layers.Flatten()(x)))
    model.get_layer("conv").set_weights([np.full((1, 1, 1, 1), 3, "float32"), np.ones(1, "float32")])
    model.get_layer("norm").set_weights([np.array([value], "float32") for value in (2, 1, 3, 1)])  # γ, β, μ, σ²
    model.get_layer("head").set_weights([np.array([[1], [10], [100]], "float32"), np.zeros(1, "float32")])
    probe = probe_of(model).explaining(Readout("output"), np.ones((1, 1), np.float32), ["the value"])
    found = probe.full_gradients(PHOTO, np.array([0], np.int32))
    # 2·(3x + 1 − 3) + 1 = 6x − 3: 3, 9 and −21, which become 3, 6 and 0
    assert set(found.biases) == {"conv", "relu6", "head"}
    np.testing.assert_allclose(found.biases["conv"][0, 0, :, 0], [-3, 0, 0])
    np.testing.assert_allclose(found.biases["relu6"][0, 0, :, 0], [0, 60, 0])
    assert total(found, PHOTO) == pytest.approx(63)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ZOO if HEAD[name] != "none" and "mixed" not in name])
def test_the_parts_add_up_to_the_score(name: str) -> None:
    model = ZOO[name]()
    assert error(probe_of(model), photo_batch(model, 2)) < 1e-5


def _attention(x: keras.KerasTensor) -> keras.KerasTensor:
    tokens = layers.LayerNormalization()(layers.Reshape((-1, 4))(x))
    return layers.MultiHeadAttention(2, 3)(tokens, tokens)


def _gate(x: keras.KerasTensor) -> keras.KerasTensor:
    gate = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    return layers.Multiply()([x, gate])


BLOCKS: dict[str, Callable[[keras.KerasTensor], keras.KerasTensor]] = {
    "attention and layer norm": _attention,
    "a gate": _gate,
    "swish": layers.Activation("swish"),
    "a constant": lambda x: keras.ops.add(x, 2.0),
    "bicubic resizing": layers.Resizing(5, 4, interpolation="bicubic"),
    "leaky": lambda x: layers.LeakyReLU(0.3)(layers.MaxPooling2D()(x)),
}


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS)
def test_layers_that_are_not_linear_add_up_too(block: str) -> None:
    photo = keras.Input((6, 8, 3), name="photo")
    x = layers.Flatten()(BLOCKS[block](layers.Conv2D(4, 3, name="conv", bias_initializer="ones")(photo)))
    model = keras.Model(photo, layers.Dense(3, activation="softmax", bias_initializer="ones")(x))
    tensor = np.random.default_rng(1).normal(size=(2, 6, 8, 3)).astype(np.float32)
    assert error(probe_of(model), tensor, 1) < 1e-5


def test_a_layer_that_cannot_be_differentiated_twice_is_named() -> None:
    photo = keras.Input((6, 8, 3), name="photo")
    x = keras.ops.tanh(layers.Resizing(5, 4, interpolation="bicubic", name="resized")(photo))

    class Bent(layers.Layer):
        def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
            return keras.ops.image.resize(keras.ops.tanh(x), (3, 3), interpolation="bicubic")

    x = layers.Flatten()(Bent(name="bent")(x))
    probe = probe_of(keras.Model(photo, layers.Dense(2, activation="softmax")(x)))
    tensor = np.zeros((1, 6, 8, 3), np.float32)
    with pytest.raises(
        errors.UnsuitableLayer, match=r"layer 'bent' \(Bent\) is not known.*ResizeBicubicGrad.*integrated_gradients"
    ) as raised:
        probe.full_gradients(tensor, np.array([0], np.int32))
    assert raised.value.got == "bent"
