"""The arrays and pictures of a method have the axes and sizes that its card promises."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from schemas.methods import METHODS
from schemas.methods.cam.base import CamFacts, CamParams
from schemas.methods.gradients.base import GradientParams
from tests.contract.cases import PHOTOS, MethodCase, case, outputs_of
from workers.contract.artifacts import Array, Picture


def _predict(tried: MethodCase, params: Any) -> dict[str, tuple[int, ...]]:
    classes = tried.published.description.classes or 0
    return {"logits": (classes,), "probabilities": (classes,)}


def _predict_batch(tried: MethodCase, params: Any) -> dict[str, tuple[int, ...]]:
    return {name: (len(params.images), *shape) for name, shape in _predict(tried, params).items()}


def _layer_shape(tried: MethodCase, path: str) -> tuple[int, ...]:
    """Return the shape of the layer's output for the inputs of these tests. Free sides are those of conv1 or conv2 for 13 × 9."""
    shape = tried.published.description.layer_at(path).output_shape
    free = iter((13, 9) if path == "conv1" else (4, 8))
    return tuple(next(free) if side is None else side for side in shape)


def _activations(tried: MethodCase, params: Any) -> dict[str, tuple[int, ...]]:
    return {"activations": _layer_shape(tried, params.layer)}


def _cam(tried: MethodCase, params: Any) -> dict[str, tuple[int, ...]]:
    shapes = {path: _layer_shape(tried, path)[:2] for path in params.layer_paths()}
    own = {f"map.{path.replace('/', '.')}": shape for path, shape in shapes.items()}
    return {"map": max(shapes.values(), key=math.prod), **(own if len(own) > 1 else {})}


def _filters(tried: MethodCase, params: Any) -> dict[str, tuple[int, ...]]:
    count, channels = len(params.channels), tried.published.description.input.channels
    return {"images": (count, params.size, params.size, channels), "curves": (count, params.steps)}


def _gradients(tried: MethodCase, params: Any) -> dict[str, tuple[int, ...]]:
    given = tried.published.description.input
    size = (given.height or 13, given.width or 9)
    return {"attribution": (*size, given.channels), "map": size}


AXES: dict[str, Callable[[MethodCase, Any], dict[str, tuple[int, ...]]]] = {
    "predict": _predict,
    "predict_batch": _predict_batch,
    "activations": _activations,
    **{name: _cam for name, params in METHODS.items() if issubclass(params, CamParams) and params.card.facts is CamFacts},
    "compare": lambda tried, params: {f"map.{method}": _cam(tried, params)["map"] for method in params.methods},
    **{name: _gradients for name, params in METHODS.items() if issubclass(params, GradientParams)},
    "deconvnet": _gradients,
    "xrai": lambda tried, params: _gradients(tried, params) | {"ranks": _gradients(tried, params)["map"]},
    "lrp": _gradients,
    "deep_lift": _gradients,
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
