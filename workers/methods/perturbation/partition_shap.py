"""Partition SHAP: Owen values of the halves of an image (the package shap, class `PartitionExplainer`)."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from rendering.photo import Photo
from schemas.methods.perturbation.partition_shap import PartitionShap, PartitionShapFacts
from workers.contract.artifacts import Array, Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.perturbation import perturbation_pictures
from workers.methods.perturbation.image_cover import CoverUp, cover_up
from workers.methods.perturbation.owen_values import ImageBlock, PartitionTree, mask_of
from workers.methods.perturbation.perturbation_result import PerturbationResult
from workers.methods.perturbation.watched_scores import WatchedScores, watch
from workers.methods.previews import PreviewedSlices, input_photo, preview_on

# Inpainting a photo of 600 × 600 pixels takes up to 0.8 s in one call, so it runs in a thread, and a slice ends after this many seconds of
# covering or of waiting for it.
_COVERING_SECONDS = 0.1


@dataclass(frozen=True)
class PartitionShapResult(PerturbationResult):
    """The values of one job.

    Attributes:
        attribution: the value of each channel of each pixel for each class. The maps are the sums over the channels.
        facts: the facts that only this method has, by name.
    """

    attribution: Float32[np.ndarray, "n H W C"]
    facts: dict[str, Any]


class _Samples:
    """Show the model the image with some blocks visible, and count how often. Covering has a thread of its own, which `close` ends."""

    def __init__(self, probe: Probe, watched: WatchedScores, cover: CoverUp, shape: tuple[int, int, int]) -> None:
        self.scores: list[Float64[np.ndarray, " n"]] = []
        self._probe, self._watched, self._cover, self._shape = probe, watched, cover, shape
        self._rows = probe.inputs_per_pass(shape[:2])
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cover")

    def close(self) -> None:
        """Give up the thread without waiting for it."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def show(self, samples: Sequence[Sequence[ImageBlock]]) -> Generator[int, None, Float64[np.ndarray, "b n"]]:
        """Return the scores of some samples, each given by its visible blocks.

        Yield the number of all samples so far after each pass, and while an image is being covered.
        """
        first, waiting, started = len(self.scores), [], time.monotonic()
        for number, visible in enumerate(samples, 1):
            covering = self._thread.submit(self._cover, mask_of(visible, self._shape))
            while not wait([covering], _COVERING_SECONDS).done:
                yield len(self.scores)
            waiting.append(covering.result())
            late = time.monotonic() - started > _COVERING_SECONDS
            if len(waiting) == self._rows or number == len(samples) or late:
                self.scores.extend(self._watched.scores(self._probe, np.stack(waiting)))
                waiting, started = [], time.monotonic()
                yield len(self.scores)
        return np.stack(self.scores[first:])


def run(probe: Probe, inputs: Inputs, params: PartitionShap) -> Generator[Slice, None, PartitionShapResult]:
    """Divide the image where the scores change most until the samples are used up, and return the Owen values."""
    (image,) = inputs.tensor
    height, width, channels = shape = image.shape
    preprocessing = probe.description.preprocessing
    watched = watch(probe, inputs.tensor, params)
    photo = input_photo(inputs, preprocessing)
    tree: PartitionTree | None = None

    def preview() -> np.ndarray:
        values = np.zeros((height, width)) if tree is None else tree.values()[0].sum(axis=-1)
        return preview_on(photo, values.astype(np.float32), **options(params))

    slices = PreviewedSlices(params.samples, preview)
    yield slices.at(0)
    everything = ImageBlock((0, height), (0, width), (0, channels))
    with closing(_Samples(probe, watched, cover_up(image, preprocessing, params), shape)) as samples:
        none, whole = yield from _as_slices(samples.show([(), (everything,)]), slices)
        tree = PartitionTree(shape, none, whole)
        while left := params.samples - len(samples.scores):
            divisions = tree.next_divisions(min(left, params.batch_size) // 2)
            if not divisions:
                break
            shown = yield from _as_slices(samples.show([visible for each in divisions for visible in each.visible()]), slices)
            for division, first, second in zip(divisions, shown[::2], shown[1::2], strict=True):
                tree.divide(division, first, second)
    return _result(tree, np.stack(samples.scores), watched, params)


def _as_slices(
    steps: Generator[int, None, Float64[np.ndarray, "b n"]], slices: PreviewedSlices
) -> Generator[Slice, None, Float64[np.ndarray, "b n"]]:
    while True:
        try:
            yield slices.at(next(steps))
        except StopIteration as stop:
            return stop.value


def _result(tree: PartitionTree, scores: Float64[np.ndarray, "b n"], watched: WatchedScores, params: PartitionShap) -> PartitionShapResult:
    values = tree.values()
    values[watched.unchanged(scores)] = 0
    regions = {(part.block.rows, part.block.columns) for part in tree.parts()}
    return PartitionShapResult(
        maps=values.sum(axis=-1).astype(np.float32),
        classes=watched.classes,
        listed=params.target_classes().listed,
        masks=len(scores),
        attribution=values.astype(np.float32),
        facts={
            "base_scores": tuple(scores[0].tolist()),
            "whole_scores": tuple(scores[1].tolist()),
            "regions": len(regions),
            "smallest_region": min((rows[1] - rows[0]) * (columns[1] - columns[0]) for rows, columns in regions),
        },
    )


def options(params: PartitionShap) -> dict[str, Any]:
    """Return how the maps are drawn: parts that raise the score in red, and parts that lower it in blue."""
    return {"way": "diverging", "scaling": "signed", "clip": params.clip, "alpha": params.alpha}


def draw(result: PartitionShapResult, photo: Photo, params: PartitionShap) -> Output:
    """Return the output with red and blue parts, and the two scores in the facts."""
    output = perturbation_pictures.draw(result, photo, params, **options(params))
    values = Array("attribution", result.attribution if result.listed else result.attribution[0])
    return Output(
        artifacts=(*output.artifacts, values),
        facts=PartitionShapFacts(**dict(output.facts), **result.facts),
        warnings=output.warnings,
    )
