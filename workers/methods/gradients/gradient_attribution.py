"""What gradient methods share on the device: a job's classes as rows of a batch, or many samples of one photo summed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64

from schemas.methods.facts import Prediction
from schemas.methods.gradients.base import GradientParams, ScoreGradientParams
from schemas.models import Preprocessing
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe, ReluRule
from workers.contract.progress import Slice
from workers.methods.cam import class_evidence
from workers.methods.perturbation import masked_scores

# A gradient costs about as much as this many forward passes.
FORWARDS = 3


@dataclass(frozen=True)
class Attribution:
    """One job's attributions, in the model's own channel order, and the maps that are drawn of them, one a class.

    `listed`: a list of classes was asked for. `relus`: how many ReLUs followed a rule that is not their own gradient.
    """

    values: Float32[np.ndarray, "n H W C"]
    maps: Float32[np.ndarray, "n H W"]
    classes: tuple[Prediction, ...]
    listed: bool
    preprocessing: Preprocessing
    relus: int = 0


@dataclass(frozen=True)
class Explained:
    """One job's gradients, one a class, with the classes' scores."""

    gradients: Float32[np.ndarray, "n H W C"]
    classes: tuple[Prediction, ...]
    listed: bool
    relus: int

    def attribution(self, values: Float32[np.ndarray, "n H W C"], maps: Float32[np.ndarray, "n H W"], probe: Probe) -> Attribution:
        return Attribution(values, maps, self.classes, self.listed, probe.description.preprocessing, self.relus)


def magnitude(values: Float32[np.ndarray, "n H W C"]) -> Float32[np.ndarray, "n H W"]:
    """The largest absolute value over channels (Simonyan et al., section 3.1)."""
    return np.abs(values).max(axis=-1)


def total(values: Float32[np.ndarray, "n H W C"]) -> Float32[np.ndarray, "n H W"]:
    """The sum over channels: what a position adds, with its sign."""
    return values.sum(axis=-1)


def batch_key(params: GradientParams) -> Hashable:
    """Jobs that differ in their classes or their drawing alone run as one batch."""
    return params.output, params.sign, params.precision


def score_batch_key(params: ScoreGradientParams) -> Hashable:
    return batch_key(params), params.score


def explain(
    probe: Probe,
    inputs: Inputs,
    params: Sequence[GradientParams],
    *,
    relu_rule: ReluRule = "gradient",
    score: Literal["logit", "probability"] = "logit",
) -> list[Explained]:
    """One answer for each row of `inputs.tensor`, all with the batch key of the first. A job's classes are rows of their own."""
    wanted = [job.target_classes() for job in params]
    counts = [len(classes.indices) for classes in wanted]
    owners = np.repeat(np.arange(len(params)), counts)
    class_indices = np.concatenate([np.asarray(classes.indices, np.int32) for classes in wanted])
    output, gradients, classes, relus = params[0].output, [], [], 0
    step = max(class_evidence.ROWS, len(params))
    for start in range(0, len(owners), step):
        chunk = slice(start, start + step)
        found = probe.input_gradients(
            inputs.tensor[owners[chunk]],
            class_indices[chunk],
            score=score,
            sign=params[0].sign,
            relu_rule=relu_rule,
            output=output,
            precision=params[0].precision,
        )
        gradients.append(found.gradients)
        classes += class_evidence.predictions(probe.published, found.class_indices, found.logits, found.probabilities, output)
        relus = found.relus
    ends = np.cumsum(counts)
    return [
        Explained(own, tuple(classes[end - count : end]), asked.listed, relus)
        for asked, own, count, end in zip(wanted, np.split(np.concatenate(gradients), ends[:-1]), counts, ends, strict=True)
    ]


@dataclass(frozen=True)
class Samples:
    """`count` inputs to take gradients at; `make` makes some of them, the same ones however they are parted."""

    count: int
    make: Callable[[slice], Float32[np.ndarray, "b H W C"]]


def summed(
    probe: Probe,
    samples: Samples,
    weights: Float64[np.ndarray, " samples"],
    classes: Sequence[Prediction],
    params: ScoreGradientParams,
    *,
    sums: Float64[np.ndarray, "n H W C"],
    squares: bool = False,
) -> Generator[int, None, None]:
    """Adds Σ weight·gradient (or of its square) of each class to `sums`; yields how many gradients are done.

    Takes as many samples at a time as the device should be held for (about 150 ms on a CPU).
    """
    rows = max(1, masked_scores.rows_of_call(probe.description, sums.shape[1:3]) // FORWARDS)
    done = 0
    for start in range(0, samples.count, rows):
        part = slice(start, min(start + rows, samples.count))
        tensor = samples.make(part)
        for at, explained in enumerate(classes):
            found = probe.input_gradients(
                tensor,
                np.full(len(tensor), explained.class_index, np.int32),
                score=params.score,
                sign=params.sign,
                output=params.output,
                precision=params.precision,
            )
            gradients = found.gradients.astype(np.float64)
            sums[at] += np.tensordot(weights[part], gradients**2 if squares else gradients, axes=1)
            done += len(tensor)
            yield done


def reported(steps: Generator[int, None, None], reports: masked_scores.Reports) -> Generator[Slice, None, None]:
    """Slices of `summed`, with a preview about every second."""
    for done in steps:
        yield reports.at(done)
