"""RISE (Petsiuk et al., arXiv:1806.07421)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int64

from rendering.photo import Photo
from schemas.methods.perturbation.rise import Rise, RiseFacts
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.batch_sizes import batches
from workers.methods.perturbation import perturbation_pictures
from workers.methods.perturbation.map_noise import Agreement, agreements, noise_options, noise_warnings
from workers.methods.perturbation.perturbation_result import PerturbationResult
from workers.methods.perturbation.watched_scores import watch
from workers.methods.previews import PreviewedSlices, input_photo, preview_on


class SoftMasks:
    """Random soft masks (section 3.3 of the paper, and its authors' code).

    The cells of a mask are open or closed at random. They are enlarged to one cell more than the input, and the mask is cut out of
    them at a random place.

    Example:
        `SoftMasks(1000, (224, 224), 7, 0.5, seed=0)[0:64]` gives the first 64 masks (64, 224, 224), 0-1.
    """

    def __init__(self, count: int, size: tuple[int, int], cells: int, probability: float, seed: int) -> None:
        """Draw the cells and the places. The masks themselves are made when they are asked for.

        Args:
            count: how many masks there are.
            size: height and width of the input in pixels.
            cells: how many cells a mask has down and across.
            probability: the probability that a cell is open.
            seed: decides all random numbers.
        """
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
    """Return Σ score·mask for each of n classes."""
    return np.tensordot(scores.T, masks.astype(np.float64), axes=1)


@dataclass(frozen=True)
class RiseResult(PerturbationResult):
    """The maps of one job.

    Attributes:
        agreement: for each class the correlation of the map of one half of the masks with that of the other half.
    """

    agreement: Agreement


def run(probe: Probe, inputs: Inputs, params: Rise) -> Generator[Slice, None, RiseResult]:
    """Show the model the image through each mask, and return the mean mask, weighted by the class score (equation 6 of the paper)."""
    (image,) = inputs.tensor
    size = image.shape[:2]
    watched = watch(probe, inputs.tensor, params)
    masks = SoftMasks(params.masks, size, params.cells, params.probability, params.seed)
    scores, sums = np.empty((params.masks, len(watched.classes))), np.zeros((len(watched.classes), *size))
    first_half = np.zeros_like(sums)
    photo = input_photo(inputs, probe.description.preprocessing)
    slices = PreviewedSlices(params.masks, lambda: preview_on(photo, sums[0].astype(np.float32), **options(params)))
    yield slices.at(0)
    for batch in batches(probe, size, params.masks):
        batch_masks = masks[batch]
        scores[batch] = watched.scores(probe, image * batch_masks[..., None])
        sums += weighted_sum(scores[batch], batch_masks)
        early = max(0, params.masks // 2 - batch.start)
        first_half += weighted_sum(scores[batch][:early], batch_masks[:early])
        yield slices.at(batch.stop)
    maps = (sums / (params.masks * params.probability)).astype(np.float32)
    unchanged = watched.unchanged(scores)
    maps[unchanged] = 0
    first_half[unchanged] = sums[unchanged] = 0
    agreement = agreements(first_half, sums - first_half)
    return RiseResult(maps, watched.classes, params.target_classes().listed, params.masks, agreement)


def options(params: Rise) -> dict[str, Any]:
    """Return how the maps are drawn: from the smallest value to the largest, because a sum of masks is above 0 everywhere."""
    return {"scaling": "heat_from_minimum", "colormap": params.colormap, "alpha": params.alpha}


def draw(result: RiseResult, photo: Photo, params: Rise) -> Output:
    """Return the output in the colours of the colormap. A map that is mostly noise is drawn in few colours and brings a warning."""
    how = options(params) | noise_options(result.classes, result.agreement)
    output = perturbation_pictures.draw(result, photo, params, **how)
    advice = f"Take more masks than {params.masks:,}."
    return Output(
        artifacts=output.artifacts,
        facts=RiseFacts(**dict(output.facts), agreement=result.agreement),
        warnings=(*output.warnings, *noise_warnings(result.classes, result.agreement, "masks", advice)),
    )
