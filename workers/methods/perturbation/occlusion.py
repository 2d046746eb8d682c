"""Occlusion (Zeiler and Fergus, arXiv:1311.2901, section 4.2), with windows and overlaps as in Captum's `Occlusion`."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64

from rendering.photo import Photo
from schemas.methods.perturbation.occlusion import Occlusion, shifts
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.baselines import baseline
from workers.methods.batch_sizes import batches
from workers.methods.perturbation import perturbation_pictures
from workers.methods.perturbation.perturbation_result import PerturbationResult
from workers.methods.perturbation.watched_scores import watch
from workers.methods.previews import PreviewedSlices, input_photo, preview_on


def windows(size: tuple[int, int], window: tuple[int, int], stride: tuple[int, int]) -> Int64[np.ndarray, "n 2 2"]:
    """Return ((top, bottom), (left, right)) of each window, row by row.

    The last window of a row or a column is cut off at the edge of the input.

    Args:
        size: height and width of the input in pixels.
        window: height and width of a window.
        stride: the step of the window, down and across.
    """
    spans = [
        [(at * step, min(at * step + length, side)) for at in range(shifts(side, length, step))]
        for side, length, step in zip(size, window, stride, strict=True)
    ]
    return np.array([(rows, columns) for rows in spans[0] for columns in spans[1]])


def covered(
    image: Float32[np.ndarray, "H W C"], cover: Float32[np.ndarray, "H W C"], boxes: Int64[np.ndarray, "b 2 2"]
) -> Float32[np.ndarray, "b H W C"]:
    """Return the image once for each window, with `cover` inside the window."""
    images = np.repeat(image[None], len(boxes), axis=0)
    for row, ((top, bottom), (left, right)) in enumerate(boxes):
        images[row, top:bottom, left:right] = cover[top:bottom, left:right]
    return images


class ScoreDropSums:
    """For each position, the sum of the score drops of all windows that cover it, and their number."""

    def __init__(self, classes: int, size: tuple[int, int]) -> None:
        """Start with zeros for `classes` classes and an input of `size` (height, width)."""
        self._drops, self._windows = np.zeros((classes, *size)), np.zeros(size)

    def add(self, drops: Float64[np.ndarray, "b n"], boxes: Int64[np.ndarray, "b 2 2"]) -> None:
        """Add the drops of the scores of n classes under b windows."""
        for drop, ((top, bottom), (left, right)) in zip(drops, boxes, strict=True):
            self._drops[:, top:bottom, left:right] += drop[:, None, None]
            self._windows[top:bottom, left:right] += 1

    def maps(self) -> Float32[np.ndarray, "n H W"]:
        """Return the mean drop at each position. It is 0 where no window has been yet."""
        return (self._drops / np.maximum(self._windows, 1)).astype(np.float32)


def run(probe: Probe, inputs: Inputs, params: Occlusion) -> Generator[Slice, None, PerturbationResult]:
    """Cover each window in turn, and return the mean score drop at each position."""
    (image,) = inputs.tensor
    size, preprocessing = image.shape[:2], probe.description.preprocessing
    watched = watch(probe, inputs.tensor, params)
    boxes = windows(size, *params.geometry(*size))
    cover = baseline(params.baseline, image, preprocessing)
    scores, sums = np.empty((len(boxes), len(watched.classes))), ScoreDropSums(len(watched.classes), size)
    photo = input_photo(inputs, preprocessing)
    slices = PreviewedSlices(len(boxes), lambda: preview_on(photo, sums.maps()[0], **options(params)))
    yield slices.at(0)
    for batch in batches(probe, size, len(boxes)):
        scores[batch] = watched.scores(probe, covered(image, cover, boxes[batch]))
        sums.add(watched.whole - scores[batch], boxes[batch])
        yield slices.at(batch.stop)
    maps = sums.maps()
    maps[watched.unchanged(np.concatenate([scores, watched.whole[None]]))] = 0
    return PerturbationResult(maps, watched.classes, params.target_classes().listed, len(boxes))


def options(params: Occlusion) -> dict[str, Any]:
    """Return how the maps are drawn: score drops in red and score rises in blue."""
    return {"way": "diverging", "scaling": "signed", "alpha": params.alpha}


def draw(result: PerturbationResult, photo: Photo, params: Occlusion) -> Output:
    """Return the output with red and blue maps."""
    return perturbation_pictures.draw(result, photo, params, **options(params))
