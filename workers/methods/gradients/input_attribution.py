"""The result of a gradient method: what `run` hands to `draw`, and how values at the input become a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from schemas.methods.facts import Prediction
from schemas.models import Preprocessing


@dataclass(frozen=True)
class InputAttribution:
    """The attributions of one job.

    Attributes:
        values: for each class a value for each value of the model's input, in the model's own channel order.
        maps: for each class one value for each position, as it is drawn.
        classes: the n classes with their scores.
        listed: true if the caller gave a list of classes. Arrays then keep the axis of the classes.
        preprocessing: how the model's input was made from the image.
        relus: the number of ReLUs that followed another rule than their own gradient.
    """

    values: Float32[np.ndarray, "n H W C"]
    maps: Float32[np.ndarray, "n H W"]
    classes: tuple[Prediction, ...]
    listed: bool
    preprocessing: Preprocessing
    relus: int = 0


def largest_magnitude(values: Float32[np.ndarray, "n H W C"]) -> Float32[np.ndarray, "n H W"]:
    """Return the largest absolute value over the channels (Simonyan et al., arXiv:1312.6034, section 3.1)."""
    return np.abs(values).max(axis=-1)


def largest_value(values: Float[np.ndarray, "n H W C"]) -> Float[np.ndarray, "n H W"]:
    """Return the largest value over the channels, with its sign (Kapishnikov et al., arXiv:1906.02825)."""
    return values.max(axis=-1)


def channel_sum(values: Float32[np.ndarray, "n H W C"]) -> Float32[np.ndarray, "n H W"]:
    """Return the sum over the channels: what a position adds to the score, with its sign."""
    return values.sum(axis=-1)
