"""This holds what `adversarial` has computed: the change, and the model's answers before and after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from schemas.methods.base import MethodParams
from schemas.methods.facts import Prediction
from schemas.models import PublishedModel


@dataclass(frozen=True)
class ExplainedAnswer:
    """An answer of the model: all classes, the best first, and the map of the best as an attribution method returns it."""

    ranked: tuple[Prediction, ...]
    result: Any
    params: MethodParams


@dataclass(frozen=True)
class AdversarialResult:
    """The photo as the model sees it, in units of 0-255 and the order of the input's channels, and its change.

    Attributes:
        before, after: the answers.
        pixels: the photo (H, W, C).
        change: the change (H, W, C).
        changed: the changed input (H, W, C), preprocessed.
        flipped: whether the attack has reached its aim.
        flipped_as_levels: whether it also has if the changed photo is rounded to whole levels.
        smallest: the smallest bound that was found, or None.
        gradients: how many gradients were taken.
        published: the model.
    """

    before: ExplainedAnswer
    after: ExplainedAnswer
    pixels: Float64[np.ndarray, "H W C"]
    change: Float64[np.ndarray, "H W C"]
    changed: Float32[np.ndarray, "H W C"]
    flipped: bool
    flipped_as_levels: bool
    smallest: float | None
    gradients: int
    published: PublishedModel
