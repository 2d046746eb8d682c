"""convscope's engine, set up as in a worker: one thread calls it, and an operation may use all cores."""

from __future__ import annotations

import os
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.offers import Call, Setup, offers, versions
from benchmarks.peers.work import ACTIVATIONS_LAYER, FILTERS_LAYER, FILTERS_SIDE, LAYERS, SCORE_CAM_LAYER, Given, PeerWork
from catalog.catalog import Catalog, load_catalog
from rendering.encode import png
from rendering.photo import Photo, Placement
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from workers.contract.artifacts import Picture
from workers.contract.inputs import Inputs
from workers.engine.devices import use_device
from workers.methods import implementation
from workers.models.loading import load_model
from workers.models.pool import LoadedModel, ModelPool

VERSIONS = versions("keras", "tensorflow-cpu", "numpy")
NAME = "convscope"
_SIDE, _WINDOW = 224, 32
_NO_PHOTO = Inputs(np.empty((0, 1, 1, 3), np.float32))


@cache
def _catalog(folder: Path) -> Catalog:
    use_device("CPU:0", len(os.sched_getaffinity(0)))
    models_file = folder / "models.toml"
    models_file.write_text("".join(f'[{name}]\nweights = "random"\n' for name in LAYERS), "utf-8")
    return load_catalog(models_file, folder)


@cache
def _pool(folder: Path) -> ModelPool:
    return ModelPool(_catalog(folder), 8 * 2**30)


def give(model: str, given: Given) -> None:
    """Write the weights, the photos and the logits of a model for the other processes."""
    loaded = _pool(given.folder).get(model)
    pictures = np.random.default_rng(0).integers(0, 256, (8, _SIDE, _SIDE, 3), dtype=np.uint8)
    photos = np.stack([loaded.prepare(picture)[0] for picture in pictures])
    logits = loaded.probe.forward(photos, scores=True).logits
    assert logits is not None
    given.write(model, load_model(_catalog(given.folder)[model]).get_weights(), photos, np.asarray(logits))


def _params(work: PeerWork, given: Given, precision: str) -> list[dict[str, Any]]:
    """Return the parameters of each job of the work."""
    classes = [{"class_index": index} for index in given.classes(work)] if work.kind != "filters" else []
    match work.kind:
        case "grad_cam" | "eight_jobs":
            own: dict[str, Any] = {"layer": LAYERS[work.model]}
        case "integrated_gradients":
            own = {"steps": work.amount}
        case "smooth_grad":
            own = {"samples": work.amount}
        case "rise":
            own = {"masks": work.amount}
        case "occlusion":
            own = {"window": _WINDOW, "stride": _WINDOW, "baseline": "black"}
        case "score_cam":
            own = {"layer": SCORE_CAM_LAYER, "max_channels": None}
        case "filters":
            own = {"preset": "keras_io", "layer": FILTERS_LAYER, "channels": tuple(range(work.images))}
            own |= {"size": FILTERS_SIDE, "steps": work.amount}
        case _:
            return [{"layer": ACTIVATIONS_LAYER, "precision": precision}]
    return [{**own, **one, "precision": precision} for one in classes or [{}]]


def _set_up(work: PeerWork, given: Given, precision: str) -> Call:
    method = {"eight_jobs": "grad_cam", "activations_png": "activations"}.get(work.kind, work.kind)
    loaded = _pool(given.folder).get(work.model)
    jobs = [METHODS[method].model_validate(one).resolve(loaded.published, MethodLimits()) for one in _params(work, given, precision)]
    inputs = _NO_PHOTO if work.kind == "filters" else Inputs(given.photos(work.model, work.images))
    found = implementation(method)
    if work.kind == "activations_png":
        return lambda: _drawn(loaded, inputs, jobs)
    if found.lane == "slow":
        return lambda: _end_of(found.run(loaded.probe, inputs, jobs[0]))
    if method == "grad_cam":
        return lambda: [one.maps[0] for one in found.run(loaded.probe, inputs, jobs)]
    return lambda: found.run(loaded.probe, inputs, jobs)[0].arrays[ACTIVATIONS_LAYER]


def _drawn(loaded: LoadedModel, inputs: Inputs, jobs: list[Any]) -> list[bytes]:
    method = implementation("activations")
    (result,) = method.run(loaded.probe, inputs, jobs)
    whole = (0, 0, _SIDE, _SIDE)
    photo = Photo(np.zeros((_SIDE, _SIDE, 3), np.uint8), Placement((_SIDE, _SIDE), whole, whole))
    return [png(artifact.image) for artifact in method.draw(result, photo, jobs[0]).artifacts if isinstance(artifact, Picture)]


def _end_of(slices: Generator[Any, None, Any]) -> object:
    while True:
        try:
            next(slices)
        except StopIteration as end:
            return end.value


def _offer(kind: str, precision: str) -> Setup:
    name = NAME if precision == "float32" else f"{NAME}, {precision}"
    return offers(kind, name)(lambda work, given: _set_up(work, given, precision))


for _kind in ("grad_cam", "eight_jobs", "integrated_gradients", "smooth_grad", "rise", "occlusion", "score_cam", "filters"):
    for _precision in ("float32", "bfloat16"):
        _offer(_kind, _precision)
for _kind in ("activations", "activations_png"):
    _offer(_kind, "float32")
