"""The gradients of class scores at the model's input, one pass of the model for a whole batch of jobs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32

from schemas.methods.facts import Prediction
from schemas.methods.gradients.base import GradientParams, ScoreGradientParams
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe, ReluRule
from workers.methods.batch_sizes import gradient_batches
from workers.methods.class_scores import predictions
from workers.methods.gradients.input_attribution import InputAttribution


@dataclass(frozen=True)
class ClassGradients:
    """The gradients of one job.

    Attributes:
        gradients: for each class the gradient of its score at the input.
        classes: the n classes with their scores.
        listed: true if the caller gave a list of classes.
        relus: the number of ReLUs that followed another rule than their own gradient.
    """

    gradients: Float32[np.ndarray, "n H W C"]
    classes: tuple[Prediction, ...]
    listed: bool
    relus: int

    def attribution(self, values: Float32[np.ndarray, "n H W C"], maps: Float32[np.ndarray, "n H W"], probe: Probe) -> InputAttribution:
        """Return the attribution of the same job with these values and maps."""
        return InputAttribution(values, maps, self.classes, self.listed, probe.description.preprocessing, self.relus)


def gradient_batch_key(params: GradientParams) -> Hashable:
    """Return the batch key of a gradient method: jobs that differ only in their classes or their drawing run as one batch."""
    return params.output, params.precision


def score_batch_key(params: ScoreGradientParams) -> Hashable:
    """Return the batch key of a gradient method that lets the caller choose the score."""
    return gradient_batch_key(params), params.score


def class_gradients(
    probe: Probe,
    inputs: Inputs,
    params: Sequence[GradientParams],
    *,
    relu_rule: ReluRule = "gradient",
    score: Literal["logit", "probability"] = "logit",
) -> list[ClassGradients]:
    """Return the gradients of each job of a batch. Each class of a job is a row of its own.

    Args:
        inputs: one input for each job, `inputs.tensor` (N, H, W, C).
        params: the N jobs' resolved parameters, all with the same batch key.
        relu_rule: what every ReLU hands back.
        score: the score that is differentiated.

    Raises:
        NoGradient: the score of the class has no gradient at the input.
        NonFinite: gradients or scores are not finite.
    """
    wanted = [job.target_classes() for job in params]
    counts = [len(classes.indices) for classes in wanted]
    owners = np.repeat(np.arange(len(params)), counts)
    class_indices = np.concatenate([np.asarray(classes.indices, np.int32) for classes in wanted])
    output, gradients, classes, relus = params[0].output, [], [], 0
    for chunk in gradient_batches(len(owners), len(params)):
        found = probe.input_gradients(
            inputs.tensor[owners[chunk]],
            class_indices[chunk],
            score=score,
            relu_rule=relu_rule,
            output=output,
            precision=params[0].precision,
        )
        gradients.append(found.gradients)
        classes += predictions(probe.published, found.class_indices, found.logits, found.probabilities, output)
        relus = found.relus
    ends = np.cumsum(counts)
    return [
        ClassGradients(own, tuple(classes[end - count : end]), asked.listed, relus)
        for asked, own, count, end in zip(wanted, np.split(np.concatenate(gradients), ends[:-1]), counts, ends, strict=True)
    ]
