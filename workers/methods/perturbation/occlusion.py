"""Occlusion (Zeiler and Fergus, arXiv:1311.2901, section 4.2), windows and overlap as Captum's `Occlusion` has them."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from jaxtyping import Float32, Float64, Int64

from schemas.methods.perturbation.occlusion import Occlusion, shifts
from workers.contract.artifacts import Output
from workers.contract.colours import input_to_rgb
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.baselines import baseline
from workers.methods.perturbation import masked_scores, perturbation_pictures
from workers.methods.perturbation.masked_scores import Attribution
from workers.rendering import scaling
from workers.rendering.overlays import OverlayAndHeatmap
from workers.rendering.overlays.diverging import blend_diverging


def windows(size: tuple[int, int], window: tuple[int, int], stride: tuple[int, int]) -> Int64[np.ndarray, "n 2 2"]:
    """(top, bottom), (left, right) of each, row by row; the last of a row or column is cut off at the input's edge."""
    spans = [
        [(at * step, min(at * step + length, side)) for at in range(shifts(side, length, step))]
        for side, length, step in zip(size, window, stride, strict=True)
    ]
    return np.array([(rows, columns) for rows in spans[0] for columns in spans[1]])


def covered(
    image: Float32[np.ndarray, "H W C"], cover: Float32[np.ndarray, "H W C"], boxes: Int64[np.ndarray, "b 2 2"]
) -> Float32[np.ndarray, "b H W C"]:
    """The image once for each window, with `cover` in it."""
    images = np.repeat(image[None], len(boxes), axis=0)
    for row, ((top, bottom), (left, right)) in enumerate(boxes):
        images[row, top:bottom, left:right] = cover[top:bottom, left:right]
    return images


class Sums:
    """Falls of the scores summed over the windows that cover a position, and how many do."""

    def __init__(self, classes: int, size: tuple[int, int]) -> None:
        self._falls, self._windows = np.zeros((classes, *size)), np.zeros(size)

    def add(self, falls: Float64[np.ndarray, "b n"], boxes: Int64[np.ndarray, "b 2 2"]) -> None:
        for fall, ((top, bottom), (left, right)) in zip(falls, boxes, strict=True):
            self._falls[:, top:bottom, left:right] += fall[:, None, None]
            self._windows[top:bottom, left:right] += 1

    def maps(self) -> Float32[np.ndarray, "n H W"]:
        """Falls divided by coverage; 0 where no window has been yet."""
        return (self._falls / np.maximum(self._windows, 1)).astype(np.float32)


def run(probe: Probe, inputs: Inputs, params: Occlusion) -> Generator[Slice, None, Attribution]:
    (image,) = inputs.tensor
    size, preprocessing = image.shape[:2], probe.description.preprocessing
    watched = masked_scores.watch(probe, inputs.tensor, params)
    boxes = windows(size, *params.geometry(*size))
    cover = baseline(params.baseline, image, preprocessing)
    scores, sums = np.empty((len(boxes), len(watched.classes))), Sums(len(watched.classes), size)
    shown = masked_scores.as_photo(input_to_rgb(image, preprocessing))
    reports = masked_scores.Reports(len(boxes), lambda: drawing(sums.maps()[0], shown, params.alpha)[0])
    for part in masked_scores.parts(probe.description, size, len(boxes)):
        scores[part] = watched.scores(probe, covered(image, cover, boxes[part]))
        sums.add(watched.whole - scores[part], boxes[part])
        yield reports.at(part.stop)
    maps = sums.maps()
    maps[watched.silent(np.concatenate([scores, watched.whole[None]]))] = 0
    return Attribution(maps, watched.classes, params.target_classes().listed, len(boxes))


def drawing(values: Float32[np.ndarray, "h w"], photo: Photo, alpha: float) -> OverlayAndHeatmap:
    return blend_diverging(scaling.signed(values), photo, alpha)


def draw(result: Attribution, photo: Photo, params: Occlusion) -> Output:
    return perturbation_pictures.draw(result, photo, params, lambda values, shown: drawing(values, shown, params.alpha))
