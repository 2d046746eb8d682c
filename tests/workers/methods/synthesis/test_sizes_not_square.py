"""Synthesised images that are not square, on a model whose input a flatten fixes at 32 × 24."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np
from keras import layers

from rendering.drawings.synthesised_image import CROSS_LEVEL, dead_tile
from rendering.photo import Photo, Placement
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from tests.contract.cases import NO_IMAGE, MethodCase, examined_model
from tests.zoo import seeded
from workers.contract.artifacts import Array, Output
from workers.engine.probe import KerasProbe
from workers.methods import implementation


@cache
def probe() -> KerasProbe:
    photo = keras.Input((32, 24, 3), name="photo")
    conv = layers.Conv2D(6, 3, activation="relu", name="conv")(layers.Rescaling(1 / 255)(photo))
    return examined_model("flat", seeded(keras.Model(photo, layers.Dense(3, activation="softmax")(layers.Flatten()(conv)))))[0]


def arrays_of(method: str, photo: Photo | None = None, **given: Any) -> tuple[Output, dict[str, np.ndarray]]:
    params = METHODS[method].model_validate(given).resolve(probe().published, MethodLimits())
    case = MethodCase(probe(), probe().published, params, implementation(method))
    tensor = NO_IMAGE if photo is None else photo.image[None].astype(np.float32)
    output = case.draw(case.result(tensor, photo), photo)
    return output, {each.name: each.array for each in output.artifacts if isinstance(each, Array)}


def test_a_class_behind_a_flatten_gets_an_image_of_the_models_own_size() -> None:
    found = arrays_of("filters", class_index=0, steps=12)[1]
    assert found["images"].shape == (1, 32, 24, 3)
    assert found["curves"][0, -1] > found["curves"][0, 0]
    seen = arrays_of("filters", class_index=0, steps=4, preset="maco")[1]
    assert seen["images"].shape == (1, 224, 168, 3)  # the model sees 32 × 24 of it


def test_channels_have_images_of_any_height_and_width() -> None:
    found = arrays_of("filters", layer="conv", channels=[0, 3], size=[20, 36], steps=8, parametrisation="pixel")[1]
    assert found["images"].shape == (2, 20, 36, 3)
    assert found["curves"][0, -1] > found["curves"][0, 0]
    output, atlas = arrays_of("filter_atlas", layer="conv", size=[20, 36], steps=2)
    assert atlas["tiles"].shape == (6, 20, 36, 3)
    assert (output.facts.side, output.facts.width) == (20, 36)  # type: ignore[attr-defined]


def test_a_dream_and_an_inversion_have_the_height_and_width_asked_for() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 24, 3), np.uint8)
    photo = Photo(image, Placement((32, 24), (0, 0, 32, 24), (0, 0, 32, 24)))
    dream = arrays_of("deep_dream", photo, layers={"conv": 1.0}, size=[40, 28], octaves=2, steps=2)[1]
    assert dream["image"].shape == (40, 28, 3)
    assert arrays_of("feature_inversion", photo, layer="conv", steps=4)[1]["images"].shape == (1, 32, 24, 3)


def test_the_cross_of_a_dead_tile_goes_from_corner_to_corner() -> None:
    crossed = dead_tile(9, 17)[..., 0] == CROSS_LEVEL
    assert crossed[[0, 0, 8, 8, 4], [0, 16, 0, 16, 8]].all()
    np.testing.assert_array_equal(crossed, crossed[::-1, ::-1])
    assert crossed.any(axis=0).sum() >= 9
    tall = dead_tile(17, 9)[..., 0] == CROSS_LEVEL
    assert tall.any(axis=1).all()
    np.testing.assert_array_equal(dead_tile(5, 5)[..., 0] == CROSS_LEVEL, np.eye(5, dtype=bool) | np.eye(5, dtype=bool)[::-1])
