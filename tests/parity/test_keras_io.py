"""The methods beside the code that keras.io publishes (`benchmarks.keras_io`), on the same models."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import keras_io
from rendering import scaling
from schemas.limits import MethodLimits
from schemas.methods.synthesis.deep_dream import DeepDream
from schemas.methods.synthesis.filters import Filters
from schemas.models import Preprocessing
from tests.parity.twins import LAYERS, TOLERANCE, difference, finished, photos, twins
from tests.workers.engine.ascent.test_dream import published_loop
from tests.workers.models.entries import file_entry
from tests.zoo import ZOO
from workers.contract.inputs import Inputs
from workers.contract.synthesis import DreamSpec
from workers.engine.ascent.parametrisations import start_values
from workers.engine.probe import KerasProbe
from workers.methods.synthesis import deep_dream, filters
from workers.methods.synthesis.recipes import RECIPES
from workers.models.description.describe import describe

# The examples pass the input itself to a model with one input, and not a list.
pytestmark = pytest.mark.filterwarnings("ignore:The structure of `inputs` doesn't match the expected structure:UserWarning")


@pytest.mark.parametrize("layer", LAYERS)
def test_grad_cam(layer: str) -> None:
    """`make_gradcam_heatmap` explains each photo's top class and divides by the largest value."""
    model = keras.models.clone_model(twins().keras)
    model.set_weights(twins().keras.get_weights())
    heatmap = keras_io.grad_cam(model, layer)
    found = twins().run("grad_cam", photos(), layer=layer, class_index=None)
    for explanation, photo in zip(found, photos(), strict=True):
        assert difference(scaling.heat(explanation.maps[0]), heatmap(photo[None])) < TOLERANCE


@pytest.mark.parametrize("channel", [1, 2])
def test_filters(channel: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`visualize_filter` takes 30 steps of gradient ascent from the same start, in the model's own units of −1 to 1."""
    model, side = ZOO["any_size"](), 60
    published = describe(model, file_entry(Path("any_size"), preprocessing=Preprocessing.named("tf")))
    start = start_values(RECIPES["keras_io"].start, (side, side, 3), 4, [channel])
    monkeypatch.setattr(tf.random, "uniform", lambda shape: tf.reshape(tf.constant(start) / 0.25 + 0.5, shape))
    expected = keras_io.filters(model, "conv2", side, 30)(channel)
    params = Filters(preset="keras_io", layer="conv2", channels=[channel], size=side, seed=4).resolve(published, MethodLimits())
    found = finished(filters.run(KerasProbe(model, published), Inputs(np.zeros((0, 1, 1, 3), np.float32)), params))
    assert difference(expected, start[0]) > 0.1
    assert difference(found.images[0], expected) < TOLERANCE


@pytest.mark.parametrize("max_loss", [None, 0.9])
def test_deep_dream(max_loss: float | None) -> None:
    """The example's own code leads from the photo to the picture: preprocessing, octaves, loop and the end of an octave. Its picture is
    rounded down, and ours is rounded.
    """
    model, layers = ZOO["any_size"](), {"conv1": 1.0, "conv2": 2.5}
    published = describe(model, file_entry(Path("any_size"), preprocessing=Preprocessing.named("tf")))
    photo = np.random.default_rng(8).integers(0, 256, (48, 61, 3), np.uint8)
    shapes = ((24, 31), (34, 43), (48, 61))  # the photo's shape divided by 1.4² and by 1.4, rounded down
    image = keras.applications.inception_v3.preprocess_input(photo.astype(np.float32))
    example = DreamSpec(image=image, layers=tuple(layers.items()), shapes=shapes, steps=20, step_size=0.01, max_loss=max_loss)
    expected, losses = published_loop(model, example)
    params = DeepDream(layers=layers, steps=20, step_size=0.01, max_loss=max_loss).resolve(published, MethodLimits())
    found = finished(deep_dream.run(KerasProbe(model, published), Inputs(np.zeros((1, 48, 61, 3), np.float32), photo), params))
    assert [len(octave) for octave in found.losses] == [len(octave) for octave in losses]
    assert all(len(octave) == 20 for octave in losses) == (max_loss is None)
    assert difference(np.concatenate(found.losses), np.concatenate(losses)) < TOLERANCE
    # Rounding may decide whether a ReLU near 0 is open. The pixels that one neuron sees then differ (measured: 9 of 2,928, by 0.002).
    apart = np.abs(found.image - expected).max(axis=-1) / np.abs(expected).max()
    assert (apart < TOLERANCE).mean() > 0.99
    assert apart.max() < 0.01
    assert difference(expected, image) > 0.1
    picture = np.clip((expected / 2 + 0.5) * 255, 0, 255)
    assert np.abs(deep_dream.dream_picture(found.image, published.description.preprocessing) - picture).max() < 0.51 + 0.01 * 127.5
