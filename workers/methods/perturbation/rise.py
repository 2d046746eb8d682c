"""RISE (Petsiuk et al., arXiv:1806.07421)."""

from __future__ import annotations

from collections.abc import Generator

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int64

from schemas.methods.perturbation.rise import Rise
from workers.contract.artifacts import Output
from workers.contract.colours import input_to_rgb
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.perturbation import masked_scores, perturbation_pictures
from workers.methods.perturbation.masked_scores import Attribution
from workers.rendering import scaling
from workers.rendering.overlays import OverlayAndHeatmap
from workers.rendering.overlays.blend import blend


class Masks:
    """`count` soft masks for inputs of `size`: cells that let light through with `probability`, enlarged beyond the input by
    one cell and cut out of that at a random place, as the paper's section 3.3 and its authors' code make them."""

    def __init__(self, count: int, size: tuple[int, int], cells: int, probability: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._size = size
        self._cell = [-(-side // cells) for side in size]
        self.open = (rng.random((count, cells, cells)) < probability).astype(np.float32)
        self.shift: Int64[np.ndarray, "n 2"] = rng.integers(0, self._cell, (count, 2))

    def __getitem__(self, part: slice) -> Float32[np.ndarray, "b H W"]:
        return np.stack([self._mask(cells, *shift) for cells, shift in zip(self.open[part], self.shift[part].tolist(), strict=True)])

    def _mask(self, cells: Float32[np.ndarray, "s s"], down: int, across: int) -> Float32[np.ndarray, "H W"]:
        height, width = ((len(cells) + 1) * side for side in self._cell)
        large = cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR)
        return large[down : down + self._size[0], across : across + self._size[1]]


def weighted_sum(scores: Float64[np.ndarray, "b n"], masks: Float32[np.ndarray, "b H W"]) -> Float64[np.ndarray, "n H W"]:
    """Σ score·M, for each class."""
    return np.tensordot(scores.T, masks.astype(np.float64), axes=1)


def run(probe: Probe, inputs: Inputs, params: Rise) -> Generator[Slice, None, Attribution]:
    (image,) = inputs.tensor
    size, preprocessing = image.shape[:2], probe.description.preprocessing
    watched = masked_scores.watch(probe, inputs.tensor, params)
    masks = Masks(params.masks, size, params.cells, params.probability, params.seed)
    scores, sums = np.empty((params.masks, len(watched.classes))), np.zeros((len(watched.classes), *size))
    shown = masked_scores.as_photo(input_to_rgb(image, preprocessing))
    reports = masked_scores.Reports(params.masks, lambda: drawing(sums[0].astype(np.float32), shown, params)[0])
    for part in masked_scores.parts(probe.description, size, params.masks):
        seen_through = masks[part]
        scores[part] = watched.scores(probe, image * seen_through[..., None])
        sums += weighted_sum(scores[part], seen_through)
        yield reports.at(part.stop)
    maps = (sums / (params.masks * params.probability)).astype(np.float32)
    maps[watched.silent(scores)] = 0
    return Attribution(maps, watched.classes, params.target_classes().listed, params.masks)


def drawing(values: Float32[np.ndarray, "h w"], photo: Photo, params: Rise) -> OverlayAndHeatmap:
    """From the map's smallest value to its largest: all of it is above 0."""
    return blend(scaling.heat(values - values.min()), photo, params.colormap, params.alpha)


def draw(result: Attribution, photo: Photo, params: Rise) -> Output:
    return perturbation_pictures.draw(result, photo, params, lambda values, shown: drawing(values, shown, params))
