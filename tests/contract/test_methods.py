"""What every method owes, tried from its own example on tiny models; a method added to the registry is tried without a line here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np
import pytest

from catalog.entry import CatalogEntry
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.methods.base import MethodParams
from schemas.methods.cam.base import CamFacts, CamParams
from schemas.methods.gradients.base import GradientParams
from schemas.methods.several_images import ImagesParams
from schemas.models import Preprocessing, PublishedModel
from tests.zoo import ZOO
from workers.contract.artifacts import Array, Document, Output, Picture
from workers.contract.inputs import Inputs, Photo, Prepared
from workers.contract.method import Implementation
from workers.contract.progress import Slice
from workers.engine.probe import KerasProbe
from workers.methods import implementation
from workers.models.description.describe import describe
from workers.models.preprocessing import prepare
from workers.rendering import encode

MODELS = ("functional", "nested", "any_size", "grey", "two_outputs", "binary")
# (height, width): none square, all different, one smaller than the models' input.
PHOTOS = ((40, 61), (75, 52), (11, 7))
NO_IMAGE = np.zeros((0, 1, 1, 3), np.float32)
OF_THE_SEED = re.compile("kernel_.*")  # artifacts that are the same for every photo
IMAGE_METHODS = [name for name, params in METHODS.items() if params.card.needs_image]
IMAGES_METHODS = [name for name, params in METHODS.items() if issubclass(params, ImagesParams)]


@dataclass(frozen=True)
class Case:
    """A method's example, resolved for a model, and all it takes to run it."""

    probe: KerasProbe
    published: PublishedModel
    params: MethodParams
    method: Implementation

    def photos(self) -> list[tuple[Photo, np.ndarray]]:
        """Photos with their inputs, all inputs of one size; without an image the method gets an empty batch."""
        spec, given = self.published.description.preprocessing, self.published.description.input
        size = (given.height or 13, given.width or 9)
        rng = np.random.default_rng(4)
        images = [rng.integers(0, 256, (*shape, 3), np.uint8) for shape in PHOTOS]
        prepared = [prepare(image, spec, size, given.channels) for image in images]
        return [(Photo(image, placement), tensor) for image, (tensor, placement) in zip(images, prepared, strict=True)]

    def outputs(self) -> list[Output]:
        """One for each photo, run as one batch; a single one where no photo is needed, or all of them."""
        if not self.params.card.needs_image:
            return [self.method.draw(self.result(NO_IMAGE), None, self.params)]
        photos = self.photos()
        tensor = np.stack([tensor for _, tensor in photos])
        if self.method.lane == "slow":
            return [self.method.draw(self.result(tensor[None], photo), photo, self.params) for photo, tensor in photos]
        results = self.method.run(self.probe, Inputs(tensor), [self.params] * len(photos))
        assert len(results) == len(photos)
        return [self.method.draw(result, photo, self.params) for result, (photo, _) in zip(results, photos, strict=True)]

    def result(self, tensor: np.ndarray, photo: Photo | None = None, several: Sequence[tuple[Photo, np.ndarray]] = ()) -> Any:
        """Of one job alone; the slices of a slow one are checked on the way. `several`: what a method of several gets, else its photos."""
        if self.method.lane == "fast":
            (result,) = self.method.run(self.probe, Inputs(tensor), [self.params])
            return result
        inputs = Inputs(tensor, photo.image if photo else None)
        if isinstance(self.params, ImagesParams):
            given = several or self.photos()[: len(self.params.images)]
            inputs = Inputs(tensor, None, tuple(Prepared(*each) for each in given))
        run, last = self.method.run(self.probe, inputs, self.params), 0
        while True:
            try:
                made = next(run)
            except StopIteration as stop:
                return stop.value
            assert isinstance(made, Slice)
            assert last <= made.step <= made.total
            assert made.value is None or math.isfinite(made.value)
            assert made.preview is None or is_picture(made.preview)
            last = made.step


def looked_into(name: str, keras_model: keras.Model) -> tuple[KerasProbe, PublishedModel]:
    entry = CatalogEntry(
        name=name,
        source="file",
        title=name,
        architecture=None,
        file=None,
        weights=None,
        input_size=None,
        preprocessing=Preprocessing.named("tf"),
        labels=None,
        default_layer=None,
        digest="0",
    )
    published = describe(keras_model, entry)
    return KerasProbe(keras_model, published), published


@cache
def model(name: str) -> tuple[KerasProbe, PublishedModel]:
    return looked_into(name, ZOO[name]())


def case(method: str, model_name: str) -> Case:
    probe, published = model(model_name)
    params = METHODS[method].model_validate(METHODS[method].card.example).resolve(published, MethodLimits())
    return Case(probe, published, params, implementation(method))


@cache
def outputs_of(method: str, model_name: str) -> list[Output]:
    return case(method, model_name).outputs()


def is_picture(image: np.ndarray) -> bool:
    return image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size > 0


def contents(output: Output) -> dict[str, bytes]:
    """Each artifact as it is stored."""
    return {artifact.name: encode.encode_artifact(artifact).content for artifact in output.artifacts}


@pytest.fixture(params=MODELS)
def model_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=list(METHODS))
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("image_method", IMAGE_METHODS)
def test_a_batch_equals_its_singles(image_method: str, model_name: str) -> None:
    tried = case(image_method, model_name)
    for (photo, tensor), together in zip(tried.photos(), outputs_of(image_method, model_name), strict=True):
        alone = tried.method.draw(tried.result(tensor[None], photo), photo, tried.params)
        assert [artifact.name for artifact in alone.artifacts] == [artifact.name for artifact in together.artifacts]
        for one, other in zip(alone.artifacts, together.artifacts, strict=True):
            if isinstance(one, Picture) and isinstance(other, Picture):
                assert one.image.shape == other.image.shape
                difference = np.abs(one.image.astype(int) - other.image)
                assert (difference > 2).mean() < 0.01, one.name
            elif isinstance(one, Array) and isinstance(other, Array):
                scale = float(np.abs(other.array).max()) or 1.0
                np.testing.assert_allclose(one.array, other.array, rtol=1e-4, atol=1e-5 * scale, err_msg=one.name)


def test_photos_that_differ_give_results_that_differ() -> None:
    """Otherwise the test above could not fail."""
    for image_method in IMAGE_METHODS:
        first, second, third = (contents(output) for output in outputs_of(image_method, "functional"))
        for name in first:
            if not OF_THE_SEED.fullmatch(name):
                assert len({first[name], second[name], third[name]}) == 3, (image_method, name)


def test_it_is_deterministic(method: str) -> None:
    first = [contents(output) for output in outputs_of(method, "functional")]
    second = [contents(output) for output in case(method, "functional").outputs()]
    assert first == second


def test_everything_is_finite_and_pictures_are_rgb(method: str, model_name: str) -> None:
    for output in outputs_of(method, model_name):
        for artifact in output.artifacts:
            if isinstance(artifact, Picture):
                assert is_picture(artifact.image), artifact.name
            elif isinstance(artifact, Document):
                assert artifact.text
            elif isinstance(artifact, Array):
                assert artifact.array.size > 0, artifact.name
                assert np.isfinite(artifact.array).all(), artifact.name


def test_artifacts_are_those_of_the_card(method: str, model_name: str) -> None:
    specs = METHODS[method].card.artifacts
    patterns = [re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(spec.name))) for spec in specs]
    for output in outputs_of(method, model_name):
        names = [artifact.name for artifact in output.artifacts]
        assert len(set(names)) == len(names)
        fixed = {spec.name for spec in specs if "{" not in spec.name and not spec.optional}
        assert fixed <= set(names)
        for artifact in output.artifacts:
            exact = [spec for spec in specs if spec.name == artifact.name]
            (spec,) = exact or [spec for spec, pattern in zip(specs, patterns, strict=True) if pattern.fullmatch(artifact.name)]
            assert spec.kind == artifact.kind
            assert spec.media_type == artifact.document_type
            assert spec.primary == artifact.is_primary


def test_facts_are_those_of_the_card_and_survive_json(method: str, model_name: str) -> None:
    card = METHODS[method].card
    for output in outputs_of(method, model_name):
        assert type(output.facts) is card.facts
        assert card.facts.model_validate_json(output.facts.model_dump_json()) == output.facts


def test_resolved_parameters_survive_json_and_resolve_to_themselves(method: str, model_name: str) -> None:
    tried = case(method, model_name)
    assert type(tried.params).model_validate_json(tried.params.model_dump_json()) == tried.params
    assert tried.params.resolve(tried.published, MethodLimits()) == tried.params
    if tried.method.lane == "fast":
        hash(tried.method.batch_key(tried.params))


def _predict(tried: Case, params: Any) -> dict[str, tuple[int, ...]]:
    classes = tried.published.description.classes or 0
    return {"logits": (classes,), "probabilities": (classes,)}


def _predict_batch(tried: Case, params: Any) -> dict[str, tuple[int, ...]]:
    return {name: (len(params.images), *shape) for name, shape in _predict(tried, params).items()}


def _layer_shape(tried: Case, path: str) -> tuple[int, ...]:
    """Of the layer for the inputs used here; a free height and width are conv2's for 13 × 9."""
    shape = tried.published.description.layer_at(path).output_shape
    free = iter((4, 8))
    return tuple(next(free) if side is None else side for side in shape)


def _activations(tried: Case, params: Any) -> dict[str, tuple[int, ...]]:
    return {"activations": _layer_shape(tried, params.layer)}


def _cam(tried: Case, params: Any) -> dict[str, tuple[int, ...]]:
    return {"map": _layer_shape(tried, params.layer)[:2]}


def _filters(tried: Case, params: Any) -> dict[str, tuple[int, ...]]:
    count, channels = len(params.channels), tried.published.description.input.channels
    return {"images": (count, params.size, params.size, channels), "curves": (count, params.steps)}


def _gradients(tried: Case, params: Any) -> dict[str, tuple[int, ...]]:
    given = tried.published.description.input
    size = (given.height or 13, given.width or 9)
    return {"attribution": (*size, given.channels), "map": size}


AXES: dict[str, Callable[[Case, Any], dict[str, tuple[int, ...]]]] = {
    "predict": _predict,
    "predict_batch": _predict_batch,
    "activations": _activations,
    **{name: _cam for name, params in METHODS.items() if issubclass(params, CamParams) and params.card.facts is CamFacts},
    "compare": lambda tried, params: {f"map.{method}": _cam(tried, params)["map"] for method in params.methods},
    **{name: _gradients for name, params in METHODS.items() if issubclass(params, GradientParams)},
    "deconvnet": _gradients,
    "filters": _filters,
}


@pytest.mark.parametrize("known", AXES)
def test_arrays_have_their_axes(known: str, model_name: str) -> None:
    tried = case(known, model_name)
    expected = AXES[known](tried, tried.params)
    for output in outputs_of(known, model_name):
        assert {artifact.name: artifact.array.shape for artifact in output.artifacts if isinstance(artifact, Array)} == expected


@pytest.mark.parametrize("name", ["overlay", "heatmap"])
def test_pictures_over_the_photo_have_its_size(name: str, model_name: str) -> None:
    for shape, output in zip(PHOTOS, outputs_of("grad_cam", model_name), strict=True):
        (picture,) = (artifact for artifact in output.artifacts if artifact.name == name)
        assert isinstance(picture, Picture)
        assert picture.image.shape == (*shape, 3)
