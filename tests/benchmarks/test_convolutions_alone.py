"""The limit of an ascent: which convolutions are done, and that each of them is."""

from __future__ import annotations

from math import prod
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.peers import offers
from benchmarks.peers.convolutions_alone import LoneConvolution, compiled_step, convolutions_of
from benchmarks.peers.family_process import FAMILIES
from benchmarks.peers.work import FILTERS_LAYER, FILTERS_SIDE, Given, PeerWork


@pytest.fixture(scope="module")
def vgg() -> keras.Model:
    return keras.applications.VGG16(weights=None, include_top=False)


def test_the_convolutions_are_those_of_vgg16_with_the_last_one_cut_to_the_channels(vgg: keras.Model) -> None:
    found = convolutions_of(vgg, FILTERS_LAYER, FILTERS_SIDE, 8)
    assert [(one.inputs[1], *one.kernel.shape[2:]) for one in found] == [
        (128, 3, 64),
        (128, 64, 64),
        (64, 64, 128),
        (64, 128, 128),
        (32, 128, 8),
    ]
    products = [prod(one.outputs[1:]) * prod(one.kernel.shape[:-1]) for one in found]
    assert products == [28_311_552, 603_979_776, 301_989_888, 603_979_776, 9_437_184]


def test_each_convolution_and_each_gradient_is_what_sums_give() -> None:
    random = np.random.default_rng(0)
    convolutions = [
        LoneConvolution(random.normal(size=(3, 3, 2, 4)).astype(np.float32), (2, 5, 6, 2)),
        LoneConvolution(random.normal(size=(3, 3, 4, 1)).astype(np.float32), (2, 3, 3, 4)),
    ]
    inputs = [random.normal(size=one.inputs).astype(np.float32) for one in convolutions]
    gradients = [random.normal(size=one.outputs).astype(np.float32) for one in convolutions]
    expected: list[float] = []
    for one, given, gradient in zip(convolutions, inputs, gradients, strict=True):
        # At the corner, the kernel's middle lies on the corner's own value, so only its lower right quarter meets the input.
        expected.append(float((given[0, :2, :2] * one.kernel[1:, 1:, :, 0]).sum()))
        # The corner of the input is read by the outputs at (0, 0) to (1, 1), through the kernel's values from (1, 1) back to (0, 0).
        expected.append(float((gradient[0, :2, :2] * one.kernel[1::-1, 1::-1, 0, :]).sum()))
    values = compiled_step(convolutions, tf.float32)(inputs, gradients)
    np.testing.assert_allclose(values, expected, rtol=1e-5)
    rough = compiled_step(convolutions, tf.bfloat16)(
        [tf.cast(one, tf.bfloat16) for one in inputs], [tf.cast(one, tf.bfloat16) for one in gradients]
    )
    np.testing.assert_allclose(np.asarray(rough, np.float32), expected, atol=0.1)


@pytest.mark.slow
def test_the_limit_takes_turns_in_the_process_of_convscope_with_as_many_steps(vgg: keras.Model, tmp_path: Path) -> None:
    assert FAMILIES[0].modules == ("convscope_engine", "convolutions_alone")
    given = Given(tmp_path)
    given.write("vgg16", vgg.get_weights(), np.zeros((8, 1), np.float32), np.zeros((8, 1), np.float32))
    for name in ("the convolutions alone", "the convolutions alone, bfloat16"):
        assert name in offers.names_for("filters")
        values = np.array(offers.set_up(PeerWork("filters", "vgg16", 2, 3), name, given)())
        assert values.shape == (3, 10)
        assert (values != 0).all()
