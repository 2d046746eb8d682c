from __future__ import annotations

import keras
import pytest
from keras import layers

from tests.workers.methods.synthesis.preset_runs import CHANNELS
from tests.zoo import seeded


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """Return a model of two convolutions; some of the 70 channels of the second never respond."""
    photo = keras.Input((None, None, 3), name="photo")
    x = layers.Conv2D(5, 3, activation="relu", padding="same", name="conv1")(photo)
    return seeded(keras.Model(photo, layers.Conv2D(CHANNELS, 3, activation="relu", name="conv2")(x)))
