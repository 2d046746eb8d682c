"""What every method owes where there is nothing to see: no error, no noise drawn as evidence, and a word about it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from schemas.errors import InvalidImage, InvalidParameters, NonFinite
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.methods.base import TargetClassParams
from schemas.models import PublishedModel
from tests.contract.test_methods import IMAGE_METHODS, Case, is_picture, looked_into
from tests.zoo import seeded
from workers.engine.probe import KerasProbe
from workers.interface import Array, Output, Photo, Picture
from workers.methods import implementation
from workers.models.preprocessing import prepare

# Methods that say where in the photo something lies.
ATTRIBUTIONS = [
    method
    for method in IMAGE_METHODS
    if {"overlay", "map"} <= {spec.name for spec in METHODS[method].card.artifacts} or method == "compare"
]
# Methods that look at the photo at its own size, so that it can be too small for what is asked.
AT_THE_PHOTOS_SIZE = {"deep_dream", "sandbox"}
# Of a class; the others show what a layer answers to, whatever the class.
OF_A_CLASS = [method for method in ATTRIBUTIONS if issubclass(METHODS[method], TargetClassParams)]


def _model(kernel: tuple[int, int] = (3, 2), activation: str = "relu") -> keras.Model:
    """Classes 0 to 4 from a convolution, 13 × 9 inputs; with its kernel as large as those the map has one position."""
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="conv1")(photo)
    x = layers.Conv2D(8, kernel, activation=activation, name="conv2")(x)
    x = layers.Dense(5, activation="softmax", name="predictions")(layers.Flatten(name="flatten")(x))
    return seeded(keras.Model(photo, x))


def _dead() -> keras.Model:
    """No activation of `conv2` is above 0."""
    model = _model()
    model.get_layer("conv2").bias.assign([-1e3] * 8)
    return model


def _indifferent() -> keras.Model:
    """Nothing reaches the score of class 0."""
    model = _model()
    kernel = model.get_layer("predictions").kernel
    kernel.assign(kernel.numpy() * np.array([0, 1, 1, 1, 1], np.float32))
    return model


def _one_position() -> keras.Model:
    return _model((13, 9))


def _broken() -> keras.Model:
    """Without a ReLU, whose answer to what is not a number is 0 on some processors."""
    model = _model(activation="linear")
    model.get_layer("conv2").bias.assign([0, np.nan] * 4)
    return model


MODELS: dict[str, Callable[[], keras.Model]] = {
    "sound": _model,
    "dead": _dead,
    "indifferent": _indifferent,
    "one position": _one_position,
    "broken": _broken,
}


@cache
def model(name: str) -> tuple[KerasProbe, PublishedModel]:
    return looked_into(name.replace(" ", "_"), MODELS[name]())


def run(method: str, model_name: str, image: np.ndarray, **changes: Any) -> Output:
    """From the method's example, of class 0 where it has classes."""
    probe, published = model(model_name)
    cls = METHODS[method]
    of_class = {"class_index": 0} if issubclass(cls, TargetClassParams) else {}
    of_class |= {"score": "logit"} if "score" in cls.model_fields else {}  # any class moves the probability of all
    params = cls.model_validate(cls.card.example | of_class | changes).resolve(published, MethodLimits())
    tensor, placement = prepare(image, published.description.preprocessing, (13, 9), 3)
    photo = Photo(image, placement)
    tried = Case(probe, published, params, implementation(method))
    return tried.method.draw(tried.result(tensor[None], photo), photo, params)


def noise(height: int = 40, width: int = 61) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


def check_sound(output: Output) -> None:
    for artifact in output.artifacts:
        if isinstance(artifact, Picture):
            assert is_picture(artifact.image), artifact.name
        elif isinstance(artifact, Array):
            assert np.isfinite(artifact.array).all(), artifact.name


def check_nothing_to_see(output: Output) -> None:
    check_sound(output)
    maps = [artifact for artifact in output.artifacts if isinstance(artifact, Array) and artifact.name.startswith("map")]
    assert maps
    for artifact in maps:
        assert not artifact.array.any(), artifact.name
    assert len(output.warnings) >= len(maps)


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_a_dead_layer(method: str) -> None:
    check_nothing_to_see(run(method, "dead", noise()))


@pytest.mark.parametrize("method", [method for method in OF_A_CLASS if method != "compare"])  # EigenCAM among them knows no class
def test_a_class_that_nothing_moves(method: str) -> None:
    check_nothing_to_see(run(method, "indifferent", noise()))


@pytest.mark.parametrize("method", IMAGE_METHODS)
def test_a_layer_of_one_position(method: str) -> None:
    output = run(method, "one position", noise())
    check_sound(output)
    for artifact in output.artifacts:
        if isinstance(artifact, Array) and artifact.name.startswith("map") and artifact.array.shape == (1, 1):
            assert output.warnings  # it is the same everywhere


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("method", IMAGE_METHODS)
def test_a_photo_of_one_colour(method: str, value: int) -> None:
    check_sound(run(method, "sound", np.full((40, 61, 3), value, np.uint8)))


@pytest.mark.parametrize("shape", [(1, 1), (1, 37), (40, 1)])
@pytest.mark.parametrize("method", IMAGE_METHODS)
def test_a_photo_a_pixel_wide(method: str, shape: tuple[int, int]) -> None:
    try:
        output = run(method, "sound", noise(*shape))
    except (InvalidImage, InvalidParameters) as error:
        if method in AT_THE_PHOTOS_SIZE and "a larger photo" in str(error):
            return
        raise
    check_sound(output)
    for artifact in output.artifacts:
        if isinstance(artifact, Picture) and artifact.name in {"overlay", "heatmap"}:
            assert artifact.image.shape == (*shape, 3)


@pytest.mark.parametrize("method", [method for method in IMAGE_METHODS if METHODS[method].card.needs_model])
def test_weights_that_are_not_finite(method: str) -> None:
    with pytest.raises(NonFinite):
        run(method, "broken", noise())
