"""Every method with its example parameters on tiny models, for the contract tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import keras
import numpy as np

from catalog.entry import CatalogEntry
from rendering.photo import Photo
from schemas.limits import MethodLimits
from schemas.methods import METHODS, family_of
from schemas.methods.base import MethodParams
from schemas.methods.further_models import FurtherModelsParams
from schemas.methods.photo_sets import PhotoSetsParams
from schemas.methods.several_images import ImagesParams
from schemas.models import Preprocessing, PublishedModel
from tests.contract.transformers import class_token
from tests.drawn import drawn
from tests.zoo import ZOO
from workers.contract.artifacts import Output
from workers.contract.inputs import FurtherModel, Inputs, Prepared
from workers.contract.method import Implementation
from workers.contract.progress import Slice
from workers.engine.probe import KerasProbe
from workers.methods import implementation
from workers.models.description.describe import describe
from workers.models.preprocessing import prepare

MODELS = ("functional", "nested", "any_size", "grey", "two_outputs", "binary")
# The examples of these methods take seconds. These numbers keep every part of the method and take less.
LIGHTER: dict[str, dict[str, Any]] = {
    "filters": {"size": 48, "steps": 8},
    "feature_inversion": {"steps": 8},
    "faithfulness": {"steps": 6},
    "map_measures": {"perturbations": 4, "disturbances": 1},
    "rank_methods": {"methods": ["grad_cam", "saliency"], "measures": ["infidelity", "sparseness"], "perturbations": 4},
}
# (height, width): none is square, all differ, and one is smaller than the models' inputs.
PHOTOS = ((40, 61), (75, 52), (11, 7))
NO_IMAGE = np.zeros((0, 1, 1, 3), np.float32)
IMAGE_METHODS = [name for name, params in METHODS.items() if params.card.needs_image]
# These methods need a vision transformer, which then takes the place of every other model.
ATTENTION_METHODS = [name for name in METHODS if family_of(name) == "attention"]
IMAGES_METHODS = [name for name, params in METHODS.items() if issubclass(params, ImagesParams)]


@dataclass(frozen=True)
class MethodCase:
    """A method with its example parameters, resolved for a model, and all that it needs to run."""

    probe: KerasProbe
    published: PublishedModel
    params: MethodParams
    method: Implementation

    def photos(self) -> list[tuple[Photo, np.ndarray]]:
        """Return photos with their inputs. All inputs have one size."""
        spec, given = self.published.description.preprocessing, self.published.description.input
        size = (given.height or 13, given.width or 9)
        rng = np.random.default_rng(4)
        images = [rng.integers(0, 256, (*shape, 3), np.uint8) for shape in PHOTOS]
        prepared = [prepare(image, spec, size, given.channels) for image in images]
        return [(Photo(image, placement), tensor) for image, (tensor, placement) in zip(images, prepared, strict=True)]

    def outputs(self) -> list[Output]:
        """Return the output for each photo, computed as one batch. Methods that need no photo, or all of them, have one output."""
        return [self.draw(result, photo) for result, photo in self.results()]

    def results(self) -> list[tuple[Any, Photo | None]]:
        """Return the result for each photo, and the photo."""
        if not self.params.card.needs_image:
            return [(self.result(NO_IMAGE), None)]
        photos = self.photos()
        tensor = np.stack([tensor for _, tensor in photos])
        if self.method.lane == "slow":
            return [(self.result(tensor[None], photo), photo) for photo, tensor in photos]
        results = self.method.run(self.probe, Inputs(tensor), [self.params] * len(photos))
        return list(zip(results, (photo for photo, _ in photos), strict=True))

    def draw(self, result: Any, photo: Photo | None) -> Output:
        """Return the output of one job, with the pictures that the service draws when they are fetched."""
        return drawn(self.method.draw(result, photo, self.params), photo)

    def result(self, tensor: np.ndarray, photo: Photo | None = None, several: Sequence[tuple[Photo, np.ndarray]] = ()) -> Any:
        """Return the result of one job alone, and check the slices of a slow method on the way.

        `several` are the images of a method that takes several. By default, it takes the photos.
        """
        if self.method.lane == "fast":
            (result,) = self.method.run(self.probe, Inputs(tensor), [self.params])
            return result
        inputs = Inputs(tensor, photo.image if photo else None)
        if isinstance(self.params, ImagesParams):
            given = several or self.photos()[: len(self.params.images)]
            inputs = Inputs(tensor, None, tuple(Prepared(*each) for each in given))
        if isinstance(self.params, PhotoSetsParams):
            inputs = replace(inputs, sets=sets_of(self.params, inputs.several))
        if isinstance(self.params, FurtherModelsParams):  # the same model stands for each further one
            further = tuple(FurtherModel(renamed(self.probe, name), inputs.several) for name in self.params.models)
            inputs = replace(inputs, further=further)
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


def sets_of(params: PhotoSetsParams, photos: Sequence[Prepared]) -> dict[str, tuple[tuple[Prepared, ...], ...]]:
    """Return photos for the sets that parameters name. Neighbouring sets begin with another photo, and none has a photo twice."""

    def members(first: int, count: int) -> tuple[Prepared, ...]:
        return tuple(replace(photos[(first + each) % len(photos)]) for each in range(count))

    return {
        name: tuple(members(number, len(each.images)) for number, each in enumerate(params.photo_sets(name))) for name in params.set_fields
    }


def examined_model(name: str, keras_model: keras.Model) -> tuple[KerasProbe, PublishedModel]:
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
def zoo_model(name: str) -> tuple[KerasProbe, PublishedModel]:
    return examined_model(name, ZOO[name]())


@cache
def transformer() -> tuple[KerasProbe, PublishedModel]:
    """Return a vision transformer with a class token."""
    return examined_model("class_token", class_token())


def renamed(probe: KerasProbe, name: str) -> KerasProbe:
    """Return a probe of the same model under another name."""
    other = copy(probe)
    description = probe.description.model_copy(update={"name": name})
    other._published = probe.published.model_copy(update={"description": description})
    return other


def resolved_alike(params: MethodParams, published: PublishedModel) -> MethodParams:
    """Return parameters that are resolved for a model, which also stands for each further model."""
    resolved = params.resolve(published, MethodLimits())
    if isinstance(resolved, FurtherModelsParams):
        return resolved.resolve_further([published] * len(resolved.models), MethodLimits())
    return resolved


def case(method: str, model_name: str) -> MethodCase:
    probe, published = transformer() if method in ATTENTION_METHODS else zoo_model(model_name)
    params = resolved_alike(METHODS[method].model_validate({**METHODS[method].card.example, **LIGHTER.get(method, {})}), published)
    return MethodCase(probe, published, params, implementation(method))


@cache
def outputs_of(method: str, model_name: str) -> list[Output]:
    return case(method, model_name).outputs()


def is_picture(image: np.ndarray) -> bool:
    return image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size > 0
