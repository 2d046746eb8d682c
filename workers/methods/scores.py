"""The class score that a method explains, out of a pass over some inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float64

from workers.interface import Forward


def class_scores(found: Forward, classes: Sequence[int], score: Literal["logit", "probability"], sign: int) -> Float64[np.ndarray, "b n"]:
    """Of each input the score of each of `classes`; with `sign` −1 that of the negative answer of one sigmoid output: −logit, or 1 − p.

    Raises:
        ValueError: the pass was not asked for scores.
    """
    every = found.logits if score == "logit" else found.probabilities
    if every is None:
        raise ValueError("the pass gave no class scores")
    values = every[:, list(classes)].astype(np.float64)
    if sign == 1:
        return values
    return -values if score == "logit" else 1 - values
