"""What all class activation maps share: the classes' gradients, the map's verdict, the pictures, the facts."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float32

from schemas.errors import NonFinite
from schemas.methods.base import Precision, Prediction
from schemas.methods.grad_cam import CamFacts
from workers.interface import Array, Inputs, Output, Photo, Picture, Probe
from workers.rendering import scaling, text
from workers.rendering.grid import grid
from workers.rendering.overlay import OverlayAndHeatmap

# Rows of one call of the probe where jobs ask for more classes than there are jobs in the batch.
ROWS = 8
# A sheet of several classes shows the photo smaller rather than exceed this.
MAX_SHEET_PIXELS = 25_000_000

CamFormula = Callable[[Float32[np.ndarray, "n h w k"], Float32[np.ndarray, "n h w k"]], Float32[np.ndarray, "n h w"]]
Drawing = Callable[[Float32[np.ndarray, "h w"], Photo], OverlayAndHeatmap]


@runtime_checkable  # beartype checks signatures in the tests
class CamParams(Protocol):
    """What is asked of a CAM, resolved: TargetLayerParams, TargetClassParams and PrecisionParams together."""

    @property
    def layer(self) -> str | None: ...
    @property
    def class_index(self) -> int | str | tuple[int | str, ...] | None: ...
    @property
    def sign(self) -> Literal[1, -1]: ...
    @property
    def precision(self) -> Precision: ...


@dataclass(frozen=True)
class Explanation:
    """One job's maps (n, h, w), one a class, and the classes with their scores. `listed`: a list of classes was asked for."""

    layer: str
    maps: Float32[np.ndarray, "n h w"]
    classes: tuple[Prediction, ...]
    listed: bool


def batch_key(params: CamParams) -> Hashable:
    """Jobs that differ in their classes alone run as one batch."""
    return params.layer, params.sign, params.precision


def explain(
    probe: Probe, inputs: Inputs, params: Sequence[CamParams], formula: CamFormula, score: Literal["logit", "probability"] = "logit"
) -> list[Explanation]:
    """One explanation for each row of `inputs.tensor`, all with the batch key of the first. A job's classes are rows of their own."""
    layer = params[0].layer
    if layer is None:
        raise ValueError("the parameters are not resolved: layer is None")
    wanted = [_class_rows(job) for job in params]
    counts = [len(rows) for rows in wanted]
    owners = np.repeat(np.arange(len(params)), counts)
    class_indices = np.concatenate([np.asarray(rows, np.int32) for rows in wanted])
    maps: list[Float32[np.ndarray, "n h w"]] = []
    classes: list[Prediction] = []
    step = max(ROWS, len(params))
    for start in range(0, len(owners), step):
        chunk = slice(start, start + step)
        found = probe.gradients(
            inputs.tensor[owners[chunk]], layer, class_indices[chunk], score=score, sign=params[0].sign, precision=params[0].precision
        )
        maps.append(formula(found.activations, found.gradients))
        rows = zip(found.class_indices.tolist(), found.logits, found.probabilities, strict=True)
        classes.extend(
            Prediction(class_index=c, label=probe.published.label_of(c), logit=float(logits[c]), probability=float(probabilities[c]))
            for c, logits, probabilities in rows
        )
    ends = np.cumsum(counts)
    return [
        Explanation(layer, own_maps, tuple(classes[end - count : end]), isinstance(job.class_index, tuple))
        for job, own_maps, count, end in zip(params, np.split(np.concatenate(maps), ends[:-1]), counts, ends, strict=True)
    ]


def draw(explanation: Explanation, photo: Photo, drawing: Drawing) -> Output:
    """Overlay, heatmap and map, as a CAM's card lists them.

    Args:
        drawing: heat (h, w) 0–1 and photo → (overlay, heatmap) at the photo's size.

    Raises:
        NonFinite: the class scores themselves are not finite.
    """
    for scored in explanation.classes:
        if not (math.isfinite(scored.logit) and math.isfinite(scored.probability)):
            raise NonFinite(f"The model's score of class {scored.class_index} is not finite: logit {scored.logit}.")
    shown = _small_enough(photo, len(explanation.classes))
    drawn = [drawing(scaling.heat(values), shown) for values in explanation.maps]
    if len(drawn) == 1:
        overlay, heatmap = drawn[0]
    else:
        captions = [f"{named(scored)} · {scored.probability:.1%}" for scored in explanation.classes]
        size = caption_size(shown)
        overlay, heatmap = (
            grid(text.captioned(np.stack(tiles), captions, size), gap=4, background=text.PAPER) for tiles in zip(*drawn, strict=True)
        )
    first = explanation.classes[0]
    return Output(
        artifacts=(
            Picture("overlay", overlay, primary=True),
            Picture("heatmap", heatmap),
            Array("map", explanation.maps if explanation.listed else explanation.maps[0]),
        ),
        facts=CamFacts(**{**dict(first), "layer": explanation.layer, "classes": explanation.classes}),
        warnings=_warnings(explanation, shown, photo),
    )


def named(scored: Prediction) -> str:
    """The class in words: its label and index, or its index alone."""
    return f"{scored.label} ({scored.class_index})" if scored.label else f"class {scored.class_index}"


def caption_size(photo: Photo) -> int:
    """Height of the letters of a caption over the photo: readable, and no more than a share of it."""
    return int(np.clip(photo.image.shape[1] / 26, 10, 40))


def _class_rows(params: CamParams) -> tuple[int, ...]:
    """Class indices, -1 for the top class."""
    chosen = params.class_index
    if chosen is None:
        return (-1,)
    indices = chosen if isinstance(chosen, tuple) else (chosen,)
    if any(isinstance(index, str) for index in indices):
        raise ValueError(f"the parameters are not resolved: class_index is {chosen!r}")
    return tuple(int(index) for index in indices)


def _small_enough(photo: Photo, count: int) -> Photo:
    height, width = photo.image.shape[:2]
    if count == 1 or count * height * width <= MAX_SHEET_PIXELS:
        return photo
    share = math.sqrt(MAX_SHEET_PIXELS / (count * height * width))
    size = (max(1, int(height * share)), max(1, int(width * share)))
    image = np.asarray(cv2.resize(photo.image, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    top, left, tall, wide = photo.placement.source
    vertical, horizontal = size[0] / height, size[1] / width
    source = (top * vertical, left * horizontal, tall * vertical, wide * horizontal)
    return Photo(image, replace(photo.placement, source=source))


def _warnings(explanation: Explanation, shown: Photo, photo: Photo) -> tuple[str, ...]:
    found: list[str] = []
    for scored, values in zip(explanation.classes, explanation.maps, strict=True):
        if why := scaling.why_degenerate(values):
            found.append(f"{named(scored)}: the map at layer '{explanation.layer}' is {why}; it is drawn as zeros.")
    if shown is not photo:
        height, width = shown.image.shape[:2]
        found.append(f"{len(explanation.classes)} classes of so large a photo: each is drawn at {width} × {height} pixels.")
    return tuple(found)
