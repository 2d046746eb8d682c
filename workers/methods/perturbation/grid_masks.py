"""Cover the cells of a grid by many masks, watch the class scores, and lay the values of the cells over the image."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from rendering.photo import Photo
from schemas.methods.perturbation.base import PerturbationFacts
from schemas.methods.perturbation.grid_masks import GridMaskParams
from workers.contract.artifacts import Array, Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.baselines import baseline
from workers.methods.batch_sizes import batches
from workers.methods.perturbation import perturbation_pictures
from workers.methods.perturbation.map_noise import Agreement, agreements, noise_options, noise_warnings
from workers.methods.perturbation.perturbation_result import PerturbationResult
from workers.methods.perturbation.watched_scores import WatchedScores, watch


@dataclass(frozen=True)
class MaskedScores:
    """Holds the answers of the model to an image under masks.

    Attributes:
        scores: the watched score of each of n classes for each of b masks.
        watched: the classes with their scores for the whole image.
        size: the height and width of the model's input.
    """

    scores: Float64[np.ndarray, "b n"]
    watched: WatchedScores
    size: tuple[int, int]

    @property
    def unchanged(self) -> Bool[np.ndarray, " n"]:
        """The classes whose score is the same under all masks, but for rounding."""
        return self.watched.unchanged(self.scores)


@dataclass(frozen=True)
class GridResult(PerturbationResult):
    """The maps of one job, and the facts of the method.

    Attributes:
        cells: the value of each cell of the grid for each class.
        agreement: for each class the correlation of the cells of one half of the masks with those of the other half.
        facts: the facts that only this method has, by name.
    """

    cells: Float32[np.ndarray, "n g g"]
    agreement: Agreement
    facts: dict[str, Any]


def masked(
    image: Float32[np.ndarray, "H W C"], cover: Float32[np.ndarray, "H W C"], masks: Float32[np.ndarray, "b g g"]
) -> Float32[np.ndarray, "b H W C"]:
    """Return m·image + (1 − m)·cover, where each pixel takes the value m of its cell, 0-1."""
    rows, columns = ((np.arange(side) + 0.5) * masks.shape[1] / side for side in image.shape[:2])
    large = masks[:, rows.astype(int)[:, None], columns.astype(int)][..., None]
    return large * image + (1 - large) * cover


def masked_scores(
    probe: Probe, inputs: Inputs, params: GridMaskParams, masks: Float32[np.ndarray, "b g g"]
) -> Generator[Slice, None, MaskedScores]:
    """Show the model the image under each mask, and yield a slice after each pass."""
    (image,) = inputs.tensor
    watched = watch(probe, inputs.tensor, params)
    cover = baseline(params.baseline, image, probe.description.preprocessing)
    scores = np.empty((len(masks), len(watched.classes)))
    yield Slice(0, len(masks))
    for batch in batches(probe, image.shape[:2], len(masks)):
        scores[batch] = watched.scores(probe, masked(image, cover, masks[batch]))
        yield Slice(batch.stop, len(masks))
    return MaskedScores(scores, watched, image.shape[:2])


def laid_out(
    found: MaskedScores,
    cells: Float64[np.ndarray, "n d"],
    halves: tuple[Float64[np.ndarray, "n d"], Float64[np.ndarray, "n d"]],
    params: GridMaskParams,
    **facts: Any,
) -> GridResult:
    """Return the result in which the cells are enlarged by cubic interpolation, as in the authors' code, and never below 0.

    The values of a class whose score never changes are 0, and its agreement is None.

    Args:
        found: the scores under the masks.
        cells: the value of each of d cells for each of n classes.
        halves: the same values, each from one half of the masks alone.
        params: the parameters of the method.
        facts: the facts that only this method has, by name.
    """
    grid = cells.reshape(len(cells), params.cells, params.cells).astype(np.float32)
    grid[found.unchanged] = 0
    height, width = found.size
    maps = [np.maximum(cv2.resize(each, (width, height), interpolation=cv2.INTER_CUBIC), 0) for each in grid]
    classes, listed = found.watched.classes, params.target_classes().listed
    agreement = agreements(*(np.where(found.unchanged[:, None], 0, half) for half in halves))
    return GridResult(np.stack(maps), classes, listed, len(found.scores), grid, agreement, facts)


def draw(found: GridResult, photo: Photo, params: GridMaskParams, facts: Callable[..., PerturbationFacts]) -> Output:
    """Return the output in the colours of the colormap. `facts` is the class of the method's facts."""
    how = {"scaling": "heat", "colormap": params.colormap, "alpha": params.alpha, **noise_options(found.classes, found.agreement)}
    output = perturbation_pictures.draw(found, photo, params, **how)
    advice = f"The model saw {found.masks:,} masks: show it more, or take fewer `cells`."
    return Output(
        artifacts=(*output.artifacts, Array("cells", found.cells if found.listed else found.cells[0])),
        facts=facts(**dict(output.facts), **found.facts, agreement=found.agreement),
        warnings=(*output.warnings, *noise_warnings(found.classes, found.agreement, "masks", advice)),
    )
