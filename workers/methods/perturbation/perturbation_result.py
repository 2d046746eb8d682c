"""The result of a perturbation method: what `run` hands to `draw`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from schemas.methods.facts import Prediction


@dataclass(frozen=True)
class PerturbationResult:
    """The maps of one job.

    Attributes:
        maps: for each class an unscaled map over the model's input.
        classes: the n classes with their scores for the whole image.
        listed: true if the caller gave a list of classes. Arrays then keep the axis of the classes.
        masks: how many covered images the model was shown.
    """

    maps: Float32[np.ndarray, "n H W"]
    classes: tuple[Prediction, ...]
    listed: bool
    masks: int
