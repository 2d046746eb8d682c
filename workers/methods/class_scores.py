"""The classes that a job asks for and the scores that it explains, out of a pass over some inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float64

from schemas.methods.facts import Prediction
from schemas.methods.target_class import TOP_CLASS, TargetClassParams
from workers.contract.probe import Forward, Probe
from workers.methods.cam import class_evidence


def class_scores(
    found: Forward, classes: Sequence[Prediction], score: Literal["logit", "probability"], sign: int
) -> Float64[np.ndarray, "b n"]:
    """Of each input the score of each of `classes`; with `sign` −1 that of the negative answer of one sigmoid output: −logit, or 1 − p.

    Raises:
        ValueError: the pass was not asked for scores.
    """
    every = found.logits if score == "logit" else found.probabilities
    if every is None:
        raise ValueError("the pass gave no class scores")
    values = every[:, [scored.class_index for scored in classes]].astype(np.float64)
    if sign == 1:
        return values
    return -values if score == "logit" else 1 - values


def classes_of(probe: Probe, found: Forward, params: TargetClassParams) -> tuple[Prediction, ...]:
    """The classes that resolved parameters ask for, with their scores for the pass's first input.

    Raises:
        ValueError: the pass was not asked for scores.
    """
    if found.logits is None or found.probabilities is None:
        raise ValueError("the pass gave no class scores")
    chosen = [int(found.logits[0].argmax()) if index == TOP_CLASS else index for index in params.target_classes().indices]
    logits, probabilities = (np.repeat(scores[:1], len(chosen), axis=0) for scores in (found.logits, found.probabilities))
    return tuple(class_evidence.predictions(probe.published, np.array(chosen), logits, probabilities, params.output))
