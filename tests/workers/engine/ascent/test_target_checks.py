"""Targets that cannot be synthesised are refused with a reason."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf
from keras import layers

from schemas.errors import InvalidParameters, NoGradient, NonFinite, UnknownLayer
from schemas.methods.synthesis.transforms import Transforms
from tests.workers.engine.ascent.support import fourier_spec, lively, pixel_spec, run
from tests.zoo import ZOO, seeded
from workers.contract.synthesis import AscentSpec, Objective

CHANNELS = Objective("channel", "conv2", (5, 0, 3))


EVERY_TRANSFORM = Transforms(pad=2, jitter=2, scale=0.1, rotate=10)


def spec_of(kind: str, **changes: object) -> AscentSpec:
    return fourier_spec(CHANNELS, **changes) if kind == "fourier" else pixel_spec(CHANNELS, **changes)


def test_a_neuron_outside_the_map_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(InvalidParameters, match="y must be 0 to 3 and x 0 to 7, got 4 and 0"):
        run(lively(), fourier_spec(Objective("neuron", "conv2", (3,), (4, 0))))


def test_a_target_that_the_input_does_not_reach_has_no_gradient() -> None:
    photo = keras.Input((13, 9, 3), name="photo")
    rounded = layers.Lambda(lambda x: tf.cast(x > 0, tf.float32), name="step")(photo)
    model = seeded(keras.Model(photo, layers.Conv2D(4, 3, name="conv")(rounded)))
    with pytest.raises(NoGradient, match="'conv' has no gradient"):
        run(model, fourier_spec(Objective("channel", "conv", (0,))))


def test_values_that_are_not_finite_are_reported_with_their_step() -> None:
    photo = keras.Input((None, None, 3), name="photo")
    model = keras.Model(photo, layers.Activation(keras.ops.exp, name="exp")(photo))
    with pytest.raises(NonFinite, match=r"step 2 of 6 \(float32\)"):
        run(model, pixel_spec(Objective("channel", "exp", (0,)), learning_rate=200.0))


def test_an_unknown_layer_is_named() -> None:
    with pytest.raises(UnknownLayer, match="conv1"):
        run(lively(), fourier_spec(Objective("channel", "conv_1", (0,))))


def test_a_size_that_a_dense_head_forbids_is_refused_with_the_one_allowed() -> None:
    model = ZOO["functional"]()
    with pytest.raises(InvalidParameters, match="own input size, 13×9"):
        run(model, fourier_spec(Objective("class", indices=(1,)), size=(16, 16)))
    assert run(model, fourier_spec(Objective("class", indices=(1,)))).images.shape == (1, 13, 9, 3)
    assert run(model, fourier_spec(CHANNELS, size=(16, 21))).images.shape == (3, 16, 21, 3)
