from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.workers.engine.support import probe_of, relative_difference, zoo_probe
from tests.zoo import HEAD, TARGET_LAYER, ZOO, photo_batch, seeded
from workers.engine.bfloat16_layers import BFloat16Layers

CLASSIFIERS = sorted(name for name, head in HEAD.items() if head != "none" and name not in ("two_inputs", "mixed_float16"))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_bfloat16_is_near_float32_and_not_the_same(name: str) -> None:
    probe = zoo_probe(name)
    x, layer = photo_batch(probe.graph.model, 3), TARGET_LAYER[name]
    classes = np.array([0, 0, 0], np.int32)
    full = probe.gradients(x, layer, classes)
    half = probe.gradients(x, layer, classes, precision="bfloat16")
    for attribute in ("activations", "gradients", "logits"):
        got, expected = getattr(half, attribute), getattr(full, attribute)
        assert got.dtype == np.float32
        correlation = np.corrcoef(got.ravel(), expected.ravel())[0, 1] if np.std(expected) > 1e-6 else 1.0
        assert correlation > 0.98, (attribute, correlation)
    if name != "mixed_bfloat16":
        assert not np.array_equal(half.activations, full.activations)
    # Every activation is a bfloat16 number, so its lower 16 bits are 0.
    assert not np.any(half.activations.view(np.uint32) & 0xFFFF)


def test_a_product_in_bfloat16_worked_by_hand() -> None:
    photo = keras.Input((1, 1, 2), name="photo")
    model = keras.Model(photo, layers.Conv2D(1, 1, name="conv")(photo))
    model.get_layer("conv").set_weights([np.array([[[[1.0], [1.0]]]], "float32"), np.array([0], "float32")])
    # In bfloat16 (8 bits) 1 + 2⁻⁹ rounds to 1, and 256 + 1 rounds to 256.
    x = np.array([1 + 2**-9, 256], "float32").reshape(1, 1, 1, 2)
    probe = probe_of(model)
    assert probe.forward(x, ["conv"]).activations["conv"].item() == pytest.approx(257 + 2**-9)
    assert probe.forward(x, ["conv"], precision="bfloat16").activations["conv"].item() == 256


def test_only_kernels_that_are_needed_are_held_in_bfloat16() -> None:
    model = ZOO["functional"]()
    probe = probe_of(model)
    probe.forward(photo_batch(model), ["pool1"], precision="bfloat16")
    assert probe.nbytes == 2 * 3 * 3 * 3 * 6
    probe.forward(photo_batch(model), ["conv2"], precision="bfloat16")
    assert probe.nbytes == 2 * (3 * 3 * 3 * 6 + 3 * 2 * 6 * 8)


def test_layers_made_of_layers_and_rescaling_stay_in_float32() -> None:
    photo = keras.Input((3, 4, 2), name="photo")
    x = layers.Rescaling(1 / 255, offset=-0.5, name="rescaling")(photo)
    x = layers.TimeDistributed(layers.Dense(3, name="inner"), name="wrapped")(x)
    model = seeded(keras.Model(photo, layers.Conv2D(2, 1, name="conv")(x)))
    half = BFloat16Layers()
    assert half.copy_of(model.get_layer("wrapped")) is model.get_layer("wrapped")
    assert half.copy_of(model.get_layer("rescaling")) is model.get_layer("rescaling")
    convolution = half.copy_of(model.get_layer("conv"))
    assert convolution is half.copy_of(model.get_layer("conv"))
    assert convolution.compute_dtype == "bfloat16"
    assert model.get_layer("conv").compute_dtype == "float32"
    assert model.get_layer("conv").kernel.dtype == "float32"
    x = np.full((1, 3, 4, 2), 201, "float32")
    found = probe_of(model).forward(x, ["rescaling", "wrapped", "conv"], precision="bfloat16").activations
    np.testing.assert_allclose(found["rescaling"], 201 / 255 - 0.5, rtol=1e-6)
    assert relative_difference(found["conv"], model(x)) < 0.02


def test_a_batch_norm_that_is_not_folded_keeps_its_statistics_in_float32() -> None:
    photo = keras.Input((2, 3, 1), name="photo")
    model = keras.Model(photo, layers.BatchNormalization(epsilon=0, name="bn")(photo))
    # bfloat16 would round this mean to 1, and the whole output would be lost.
    model.get_layer("bn").set_weights([np.array([value], "float32") for value in (1, 0, 1 + 2**-10, 2**-20)])
    found = probe_of(model).forward(np.ones((1, 2, 3, 1), "float32"), ["bn"], precision="bfloat16")
    np.testing.assert_allclose(found.activations["bn"], -1, rtol=1e-2)
    assert tf.as_dtype(model.get_layer("bn").moving_mean.dtype) == tf.float32
