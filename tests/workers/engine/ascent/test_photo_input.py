"""Ascent changes the input that the model's description declares as the photo, wherever it stands among the model's inputs."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from schemas.errors import InvalidParameters
from schemas.methods.synthesis.transforms import Transforms
from tests.workers.engine.ascent.support import TF_PREPROCESSING, finish, fourier_spec, run
from tests.workers.engine.support import published
from tests.zoo import seeded
from workers.contract.synthesis import Objective
from workers.engine.ascent.loop import ascend
from workers.engine.compiled_cache import CompiledCache
from workers.engine.graph import Graph
from workers.engine.probe import KerasProbe

SPEC = fourier_spec(Objective("channel", "conv", (1, 3)), size=(11, 7), steps=8, transforms=Transforms(pad=1, jitter=1))


def depth_before_photo() -> keras.Model:
    """Return a model whose first input is a depth image of one channel; `conv` (4) sees the depth and the photo."""
    depth, photo = keras.Input((11, 7, 1), name="depth"), keras.Input((11, 7, 3), name="photo")
    both = layers.Concatenate(name="both")([depth, photo])
    return seeded(keras.Model([depth, photo], layers.Conv2D(4, 3, name="conv")(both)))


def photo_alone(model: keras.Model) -> keras.Model:
    """Return the same model without its depth, which ascent sets to 0."""
    photo = keras.Input((11, 7, 3), name="photo")
    alone = keras.Model(photo, layers.Conv2D(4, 3, name="conv")(photo))
    kernel, bias = model.get_layer("conv").get_weights()
    alone.get_layer("conv").set_weights([kernel[:, :, 1:], bias])
    return alone


def test_the_declared_photo_is_changed_where_another_image_comes_first() -> None:
    model = depth_before_photo()
    described = published(model)
    photo = described.description.input.model_copy(update={"name": "photo", "channels": 3})
    description = described.description.model_copy(update={"input": photo, "preprocessing": TF_PREPROCESSING})
    state, _ = finish(KerasProbe(model, described.model_copy(update={"description": description})).ascend(SPEC))
    expected = run(photo_alone(model), SPEC)
    assert state.images.shape == (2, 11, 7, 3)
    np.testing.assert_allclose(state.images, expected.images, atol=1e-5)
    np.testing.assert_allclose(state.values, expected.values, atol=1e-5)
    assert np.all(state.values[:, -1] > state.values[:, 0])


def test_an_input_that_takes_no_images_is_refused_by_name() -> None:
    age, photo = keras.Input((2,), name="age"), keras.Input((11, 7, 3), name="photo")
    model = keras.Model([age, photo], [layers.Dense(2)(age), layers.Conv2D(4, 3, name="conv")(photo)])
    with pytest.raises(InvalidParameters, match=r"Input 'age' of model .* takes no images"):
        next(ascend(Graph(model), "age", TF_PREPROCESSING, SPEC, CompiledCache()))
