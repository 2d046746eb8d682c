"""What all methods share that cover parts of the photo and watch the class scores: the scores, pieces of work, previews."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from schemas.methods.facts import Prediction
from schemas.methods.perturbation.base import PerturbationParams, Score
from schemas.methods.precision import Precision
from schemas.models import Layer, LayerKind, ModelDescription
from workers.contract.inputs import Photo, Placement
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.class_scores import class_scores, classes_of

# Of one forward pass: the seconds that it may hold the device, and how many multiplications and values it makes in one, as
# measured for gradient ascent. How many photos it takes follows from the model and not from a clock: arithmetic differs in the
# last digit with the size of the batch, and a job run again must give the same map.
CALL_SECONDS = 0.15
PRODUCTS_PER_SECOND, VALUES_PER_SECOND = 1.8e11, 3e9
MOST_ROWS = 64
PREVIEW_SECONDS = 1.0
# Scores that differ by less than this share of their size differ by rounding.
ROUNDING = 1e-5


@dataclass(frozen=True)
class Attribution:
    """One job's maps over the model's input, one a class, and the classes with their scores. `listed`: a list was asked for."""

    maps: Float32[np.ndarray, "n H W"]
    classes: tuple[Prediction, ...]
    listed: bool
    masks: int


@dataclass(frozen=True)
class Watched:
    """Which scores a job watches, and what they are for the whole photo. `size`: of its logits the largest, where those are watched."""

    classes: tuple[Prediction, ...]
    score: Score
    sign: int
    output: str | None
    precision: Precision
    whole: Float64[np.ndarray, " n"]
    size: float

    def scores(self, probe: Probe, covered: Float32[np.ndarray, "b H W C"]) -> Float64[np.ndarray, "b n"]:
        found = probe.forward(covered, scores=True, output=self.output, precision=self.precision)
        return class_scores(found, self.classes, self.score, self.sign)

    def silent(self, scores: Float64[np.ndarray, "b n"]) -> Bool[np.ndarray, " n"]:
        """Classes whose score is always the same, but for rounding: what is made of its differences would be noise."""
        return np.ptp(scores, axis=0) <= ROUNDING * np.maximum(self.size, np.abs(scores).max(axis=0))


def watch(probe: Probe, tensor: Float32[np.ndarray, "1 H W C"], params: PerturbationParams) -> Watched:
    """The classes that resolved parameters ask for."""
    found = probe.forward(tensor, scores=True, output=params.output, precision=params.precision)
    classes = classes_of(probe, found, params)
    return Watched(
        classes=classes,
        score=params.score,
        sign=params.sign,
        output=params.output,
        precision=params.precision,
        whole=class_scores(found, classes, params.score, params.sign)[0],
        size=float(np.abs(found.logits).max()) if params.score == "logit" and found.logits is not None else 0.0,
    )


def parts(model: ModelDescription, size: tuple[int, int], count: int) -> Iterator[slice]:
    """`count` inputs of `size` (H, W), as many at a time as one forward pass should take."""
    rows = rows_of_call(model, size)
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))


def rows_of_call(model: ModelDescription, size: tuple[int, int]) -> int:
    seconds = 0.0
    for layer in model.layers:
        if layer.kind is LayerKind.MODEL:
            continue  # its layers stand for themselves
        positions = _positions(layer, size)
        seconds += layer.parameters * positions / PRODUCTS_PER_SECOND + positions * (layer.channels or 1) / VALUES_PER_SECOND
    return int(np.clip(CALL_SECONDS / max(seconds, 1e-9), 1, MOST_ROWS))


def _positions(layer: Layer, size: tuple[int, int]) -> int:
    """At which a layer's kernels are applied; sides that the model leaves open follow from its stride."""
    if len(layer.output_shape) != 3:
        return 1
    strides = layer.receptive_field.stride if layer.receptive_field else (1, 1)
    height, width = (side or max(1, given // step) for side, given, step in zip(layer.output_shape, size, strides, strict=False))
    return height * width


class Reports:
    """Slices, with a preview about every second."""

    def __init__(self, total: int, preview: Callable[[], UInt8[np.ndarray, "H W 3"]]) -> None:
        self._total, self._preview = total, preview
        self._shown = time.monotonic()

    def at(self, step: int) -> Slice:
        if time.monotonic() - self._shown < PREVIEW_SECONDS:
            return Slice(step, self._total)
        self._shown = time.monotonic()
        return Slice(step, self._total, preview=self._preview())


def as_photo(image: UInt8[np.ndarray, "H W 3"]) -> Photo:
    """A picture of the input itself, to draw previews on."""
    height, width = image.shape[:2]
    return Photo(image, Placement((height, width), (0, 0, height, width), (0, 0, height, width)))
