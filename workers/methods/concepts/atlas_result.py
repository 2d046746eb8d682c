"""The result of `activation_atlas` before it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from schemas.methods.facts import Prediction
from schemas.models import PublishedModel
from workers.methods.concepts.activation_grid import ActivationGrid


@dataclass(frozen=True)
class AtlasResult:
    """The cells of an atlas and their images.

    Attributes:
        model: the model with its labels.
        grid: the activations on the two axes, and the cells.
        places: photo, row and column in the layer's map, and cell of each activation.
        means: the mean activation of each cell.
        tiles: the image of each cell.
        seen: whether a gradient ever reached the image of the cell.
        patches: the part of a photo that each cell's `examples` picture shows. It has no pixels if the photo is not seen there.
        classes: the top class of each cell, or None if the model's classes do not depend on the layer's mean alone.
        reused: the number of images that were taken over from earlier jobs.
    """

    model: PublishedModel
    grid: ActivationGrid
    places: Int32[np.ndarray, "n 4"]
    means: Float32[np.ndarray, "c k"]
    tiles: UInt8[np.ndarray, "c h w 3"]
    seen: Bool[np.ndarray, " c"]
    patches: tuple[UInt8[np.ndarray, "_ _ 3"], ...]
    classes: tuple[tuple[Prediction, ...], ...] | None
    reused: int
