"""Run a preset on a tiny model, and compare its images with those of the published code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from schemas.limits import MethodLimits
from schemas.methods.synthesis.filters import Filters
from schemas.models import InputSpec, Layer, LayerKind, ModelDescription, Preprocessing, PublishedModel
from tests.drawn import drawn
from workers.contract.artifacts import Output, Picture
from workers.contract.inputs import Inputs
from workers.engine.ascent.parametrisations import start_values
from workers.engine.probe import KerasProbe
from workers.methods.synthesis import filters
from workers.methods.synthesis.recipes import RECIPES

CHANNELS = 70
CAFFE, TF, TORCH = (Preprocessing.named(mode) for mode in ("caffe", "tf", "torch"))


def probe_of(model: keras.Model, preprocessing: Preprocessing) -> KerasProbe:
    convolution = Layer(
        path="conv2",
        type="Conv2D",
        kind=LayerKind.CONV,
        output_shape=(None, None, CHANNELS),
        parameters=0,
        channels=CHANNELS,
        receptive_field=None,
        inbound=("photo",),
        cam_able=False,
    )
    description = ModelDescription(
        name="tiny",
        source="file",
        input=InputSpec(name="photo", height=None, width=None, channels=3),
        preprocessing=preprocessing,
        classes=None,
        head="none",
        outputs=(),
        fingerprint="0" * 64,
        parameters=0,
        default_layer="conv2",
        layers=(convolution,),
    )
    return KerasProbe(model, PublishedModel(description=description, labels=(), digest="0"))


def result_of(probe: KerasProbe, params: Filters) -> tuple[filters.FilterSynthesis, Output]:
    ascent = filters.run(probe, Inputs(np.zeros((0, 0, 0, 3), np.float32)), params)
    while True:
        try:
            next(ascent)
        except StopIteration as stop:
            return stop.value, filters.draw(stop.value, None, params)


def resolved(probe: KerasProbe, **params: Any) -> Filters:
    return Filters(**params).resolve(probe.published, MethodLimits())


def pictures(output: Output) -> dict[str, np.ndarray]:
    return {artifact.name: artifact.image for artifact in drawn(output).artifacts if isinstance(artifact, Picture)}


def unit_noise(preset: str, size: int, channel: int, seed: int = 0) -> np.ndarray:
    """Return noise of [0, 1), (1, size, size, 3) in double precision, from which the preset's start is that of our ascent."""
    noise = np.random.default_rng((seed, channel)).random((size, size, 3))
    start = RECIPES[preset].start
    np.testing.assert_array_equal(
        start_values(start, (size, size, 3), seed, [channel])[0], (noise * (start.high - start.low) + start.low).astype(np.float32)
    )
    return noise[None]


def assert_same_picture(got: np.ndarray, expected: np.ndarray) -> None:
    """Check that pictures differ by at most one grey level: published code runs partly in double precision, so it may round otherwise."""
    assert got.shape == expected.shape
    difference = np.abs(got.astype(int) - expected.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.02


# Deep Learning with Python, 1st ed., 5.4.2 (listings 5.32 to 5.39), with K.function and K.gradients as a tape.


def dlwp1_deprocess(x: np.ndarray) -> np.ndarray:
    x = x - x.mean()
    x = x / (x.std() + 1e-5)
    x = x * 0.1
    x = np.clip(x + 0.5, 0, 1)
    return np.clip(x * 255, 0, 255).astype("uint8")


def iterate(model: keras.Model, channel: int) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    extractor = keras.Model(model.inputs, model.get_layer("conv2").output)

    def loss_and_gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
        image = tf.constant(x, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = tf.reduce_mean(extractor(image)[:, :, :, channel])
        gradient = tape.gradient(loss, image)
        gradient /= tf.sqrt(tf.reduce_mean(tf.square(gradient))) + 1e-5
        return float(loss), gradient.numpy()

    return loss_and_gradient
