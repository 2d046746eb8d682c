"""The methods beside the code that keras.io publishes (`benchmarks.keras_io`), on the same models."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import keras_io
from schemas.limits import MethodLimits
from schemas.methods.filters import Filters
from schemas.models import Preprocessing
from tests.parity.twins import LAYERS, TOLERANCE, difference, finished, photos, twins
from tests.workers.models.entries import file_entry
from tests.zoo import ZOO
from workers.engine.ascent.parametrisations import starts
from workers.engine.probe import KerasProbe
from workers.interface import Inputs
from workers.methods import filters
from workers.methods.parts.filter_presets import RECIPES
from workers.models.describe import describe
from workers.rendering import scaling

# The examples give a model of one input that input itself, not a list of it.
pytestmark = pytest.mark.filterwarnings("ignore:The structure of `inputs` doesn't match the expected structure:UserWarning")


@pytest.mark.parametrize("layer", LAYERS)
def test_grad_cam(layer: str) -> None:
    """`make_gradcam_heatmap`: of each photo's top class, over the largest value."""
    model = keras.models.clone_model(twins().keras)
    model.set_weights(twins().keras.get_weights())
    heatmap = keras_io.grad_cam(model, layer)
    found = twins().run("grad_cam", photos(), layer=layer, class_index=None)
    for explanation, photo in zip(found, photos(), strict=True):
        assert difference(scaling.heat(explanation.maps[0]), heatmap(photo[None])) < TOLERANCE


@pytest.mark.parametrize("channel", [1, 2])
def test_filters(channel: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`visualize_filter` from the same start: 30 steps of gradient ascent, in units of −1 to 1, which are the model's own."""
    model, side = ZOO["any_size"](), 60
    published = describe(model, file_entry(Path("any_size"), preprocessing=Preprocessing.named("tf")))
    start = starts(RECIPES["keras_io"].start, (side, side, 3), 4, [channel])
    monkeypatch.setattr(tf.random, "uniform", lambda shape: tf.reshape(tf.constant(start) / 0.25 + 0.5, shape))
    expected = keras_io.filters(model, "conv2", side, 30)(channel)
    params = Filters(preset="keras_io", layer="conv2", channels=[channel], size=side, seed=4).resolve(published, MethodLimits())
    found = finished(filters.run(KerasProbe(model, published), Inputs(np.zeros((0, 1, 1, 3), np.float32)), params))
    assert difference(expected, start[0]) > 0.1
    assert difference(found.images[0], expected) < TOLERANCE
