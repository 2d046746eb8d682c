"""The class scores that a method watches while parts of the image are covered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64

from schemas.methods.facts import Prediction
from schemas.methods.perturbation.base import PerturbationParams, Score
from schemas.methods.precision import Precision
from workers.contract.probe import Probe
from workers.methods.class_scores import ROUNDING, class_scores, target_predictions


@dataclass(frozen=True)
class WatchedScores:
    """The scores that a job watches.

    Attributes:
        classes: the n classes with their scores for the whole image.
        score: the logit or the probability.
        output: the output that the classes belong to. None stands for the first output.
        precision: the number format of the passes.
        whole: the watched scores of the whole image.
        largest: the largest absolute logit of the whole image if logits are watched, else 0. Rounding is a share of it.
    """

    classes: tuple[Prediction, ...]
    score: Score
    output: str | None
    precision: Precision
    whole: Float64[np.ndarray, " n"]
    largest: float

    def scores(self, probe: Probe, covered: Float32[np.ndarray, "b H W C"]) -> Float64[np.ndarray, "b n"]:
        """Return the watched scores of some covered inputs."""
        found = probe.forward(covered, scores=True, output=self.output, precision=self.precision)
        return class_scores(found, self.classes, self.score)

    def unchanged(self, scores: Float64[np.ndarray, "b n"]) -> Bool[np.ndarray, " n"]:
        """Say which classes have the same score in all rows, but for rounding. A map of their differences would be noise."""
        return np.ptp(scores, axis=0) <= ROUNDING * np.maximum(self.largest, np.abs(scores).max(axis=0))


def watch(probe: Probe, tensor: Float32[np.ndarray, "1 H W C"], params: PerturbationParams) -> WatchedScores:
    """Run the whole image through the model, and return the scores that resolved parameters ask for."""
    found = probe.forward(tensor, scores=True, output=params.output, precision=params.precision)
    classes = target_predictions(probe, found, params)
    return WatchedScores(
        classes=classes,
        score=params.score,
        output=params.output,
        precision=params.precision,
        whole=class_scores(found, classes, params.score)[0],
        largest=float(np.abs(found.logits).max()) if params.score == "logit" and found.logits is not None else 0.0,
    )
