"""Every method when there is nothing to see: it raises no error, draws no noise as evidence, and warns."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, get_args

import keras
import numpy as np
import pytest
from keras import layers

from rendering.photo import Photo
from schemas.errors import InvalidImage, InvalidParameters, NonFinite
from schemas.methods import METHODS
from schemas.methods.cam.activation_params import ActivationCamParams
from schemas.methods.cam.compare import Compared
from schemas.methods.inspection.activations import ActivationsFacts
from schemas.methods.inspection.weights import WeightsFacts
from schemas.methods.several_images import ImagesParams
from schemas.methods.target_class import TargetClassParams
from schemas.models import PublishedModel
from tests.contract.cases import ATTENTION_METHODS, IMAGES_METHODS, NO_IMAGE, MethodCase, examined_model, is_picture, resolved_alike
from tests.contract.cases import IMAGE_METHODS as IMAGE_METHODS_OF_ALL
from tests.drawn import drawn
from tests.zoo import seeded
from workers.contract.artifacts import Array, Output, Picture
from workers.engine.probe import KerasProbe
from workers.methods import implementation
from workers.models.preprocessing import prepare

# Methods that can run on networks of convolutions, and read a photo. How those of attention treat such photos is tested beside them.
IMAGE_METHODS = [method for method in IMAGE_METHODS_OF_ALL if method not in ATTENTION_METHODS]
# Methods that show where in the photo something lies.
_DRAWN = {method: {spec.name for spec in METHODS[method].card.artifacts} for method in METHODS}
ATTRIBUTIONS = [method for method in IMAGE_METHODS if {"overlay", "map"} <= _DRAWN[method] or method == "compare"]
# Methods that read one photo or several.
PHOTO_METHODS = [*IMAGE_METHODS, *IMAGES_METHODS]
# Methods that use the photo at its own size, so that it can be too small for the parameters.
AT_THE_PHOTOS_SIZE = {"deep_dream", "sandbox"}
# Methods whose submission has no photo: they need none, or they name several.
WITHOUT_A_PHOTO = [method for method, params in METHODS.items() if not params.card.needs_image]
# Methods that examine a layer without making a map of it. Each reports a dead layer in its own way.
_OF_LAYERS = [method for method, params in METHODS.items() if {"layer", "layers"} & set(params.model_fields)]
LAYER_METHODS = [method for method in _OF_LAYERS if method not in (*ATTRIBUTIONS, *ATTENTION_METHODS)]
# Methods that explain a class. The others show what excites a layer, whatever the class.
CLASS_METHODS = [method for method in ATTRIBUTIONS if issubclass(METHODS[method], TargetClassParams)]


def _model(kernel: tuple[int, int] = (3, 2), activation: str = "relu") -> keras.Model:
    """Return a model with 5 classes behind a convolution, for inputs of 13 × 9. With a kernel of this size, its map has one position."""
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="conv1")(photo)
    x = layers.Conv2D(8, kernel, activation=activation, name="conv2")(x)
    x = layers.Dense(5, activation="softmax", name="predictions")(layers.Flatten(name="flatten")(x))
    return seeded(keras.Model(photo, x))


def _dead() -> keras.Model:
    """Return a model in which no activation of `conv2` is above 0."""
    model = _model()
    model.get_layer("conv2").bias.assign([-1e3] * 8)
    return model


def _indifferent() -> keras.Model:
    """Return a model in which nothing influences the score of class 0."""
    return _without_class_0(_model())


def _indifferent_of_any_size() -> keras.Model:
    photo = keras.Input((None, None, 3), name="photo")
    x = layers.Conv2D(8, 3, activation="relu", name="conv2")(photo)
    x = layers.Dense(5, activation="softmax", name="predictions")(layers.GlobalAveragePooling2D(name="gap")(x))
    return _without_class_0(seeded(keras.Model(photo, x)))


def _without_class_0(model: keras.Model) -> keras.Model:
    kernel = model.get_layer("predictions").kernel
    kernel.assign(kernel.numpy() * np.array([0, 1, 1, 1, 1], np.float32))
    return model


def _one_position() -> keras.Model:
    return _model((13, 9))


def _broken() -> keras.Model:
    """Return a model whose weights are not finite. It has no ReLU, because on some processors the ReLU of NaN is 0."""
    model = _model(activation="linear")
    model.get_layer("conv2").bias.assign([0, np.nan] * 4)
    return model


MODELS: dict[str, Callable[[], keras.Model]] = {
    "sound": _model,
    "dead": _dead,
    "indifferent": _indifferent,
    "indifferent of any size": _indifferent_of_any_size,
    "one position": _one_position,
    "broken": _broken,
}


@cache
def model(name: str) -> tuple[KerasProbe, PublishedModel]:
    return examined_model(name.replace(" ", "_"), MODELS[name]())


def run(method: str, model_name: str, image: np.ndarray | None, **changes: Any) -> Output:
    """Run the method's example, for class 0 if it explains classes.

    A method that takes several images gets `image` several times. If `image` is None, the photos of the contract tests are used.
    """
    probe, published = model(model_name)
    cls = METHODS[method]
    of_class = {"class_index": 0} if issubclass(cls, TargetClassParams) else {}
    of_class |= {"score": "logit"} if "score" in cls.model_fields else {}  # every class influences the probability of all
    params = resolved_alike(cls.model_validate(cls.card.example | of_class | changes), published)
    if image is None:
        (output,) = MethodCase(probe, published, params, implementation(method)).outputs()
        return output
    tensor, placement = prepare(image, published.description.preprocessing, (13, 9), 3)
    photo = Photo(image, placement)
    tried = MethodCase(probe, published, params, implementation(method))
    if isinstance(params, ImagesParams):
        query = (tensor[None], photo) if params.card.needs_image else (NO_IMAGE, None)
        return drawn(tried.method.draw(tried.result(*query, [(photo, tensor)] * len(params.images)), query[1], params))
    return drawn(tried.method.draw(tried.result(tensor[None], photo), photo, params), photo)


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


def of_conv2(method: str, model_name: str) -> Output:
    fields = METHODS[method].model_fields
    where: dict[str, Any] = {"layer": "conv2"} if "layer" in fields else {"layers": {"conv2": 1.0}}
    steps = {"steps": 3} if "steps" in fields else {}
    return run(method, model_name, noise() if method in IMAGE_METHODS else None, **where, **steps)


@pytest.mark.parametrize("method", LAYER_METHODS)
def test_a_dead_layer_examined_model(method: str) -> None:
    output = of_conv2(method, "dead")
    check_sound(output)
    match output.facts:
        case ActivationsFacts(layers=(layer,)):
            assert layer.dead_channels == tuple(range(8))
        case WeightsFacts():
            """The weights do not depend on activations, so there is nothing to warn about."""
        case _:
            assert output.warnings


@pytest.mark.parametrize("method", CLASS_METHODS)
def test_a_class_that_nothing_moves(method: str) -> None:
    every = (
        {"methods": [cam for cam in get_args(Compared) if not issubclass(METHODS[cam], ActivationCamParams)]} if method == "compare" else {}
    )  # the others explain no class
    check_nothing_to_see(run(method, "indifferent", noise(), **every))


def test_a_filter_of_a_class_that_nothing_moves() -> None:
    """Class 0 has no gradient, so its tile is crossed out and a warning names it. Class 1 has a gradient."""
    shown = run("filters", "indifferent of any size", None, class_index=[0, 1], layer=None, channels=None, size=24, steps=3)
    check_sound(shown)
    assert [(image.class_index, image.dead) for image in shown.facts.images] == [(0, True), (1, False)]  # type: ignore[attr-defined]
    assert "class_0" in shown.warnings[0]
    assert "class_1" not in shown.warnings[0]


@pytest.mark.parametrize("method", IMAGE_METHODS)
def test_a_layer_of_one_position(method: str) -> None:
    output = run(method, "one position", noise())
    check_sound(output)
    for artifact in output.artifacts:
        if isinstance(artifact, Array) and artifact.name.startswith("map") and artifact.array.shape == (1, 1):
            assert output.warnings  # a map of one position has the same value everywhere


@pytest.mark.parametrize("method", [method for method in LAYER_METHODS if method in WITHOUT_A_PHOTO])
def test_a_layer_of_one_position_without_a_photo(method: str) -> None:
    check_sound(of_conv2(method, "one position"))


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("method", PHOTO_METHODS)
def test_a_photo_of_one_colour(method: str, value: int) -> None:
    check_sound(run(method, "sound", np.full((40, 61, 3), value, np.uint8)))


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 1), (1, 37), (40, 1)])
@pytest.mark.parametrize("method", PHOTO_METHODS)
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


@pytest.mark.parametrize("method", WITHOUT_A_PHOTO)
def test_weights_that_are_not_finite_without_a_photo(method: str) -> None:
    """Methods that compute with the weights fail, methods that show them warn, and the graph does not need them."""
    if method == "architecture":
        assert not any("finite" in warning for warning in run(method, "broken", None).warnings)
    elif method == "weights":
        assert run(method, "broken", None, layer="conv2").warnings == (
            "'bias': 4 of 8 values are not finite. They are drawn and counted as 0.",
        )
    else:
        with pytest.raises(NonFinite, match="^Image 0: The" if method in IMAGES_METHODS else None):
            run(method, "broken", None)
