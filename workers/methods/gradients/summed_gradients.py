"""Sums of gradients over many samples of one image, for methods of the slow lane."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64

from schemas.methods.facts import Prediction
from schemas.methods.gradients.base import ScoreGradientParams
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.previews import PreviewedSlices


@dataclass(frozen=True)
class GradientSamples:
    """The inputs at which gradients are taken.

    Attributes:
        count: how many samples there are.
        make: returns the samples of a slice. A sample is the same in whichever slice it is made.
    """

    count: int
    make: Callable[[slice], Float32[np.ndarray, "b H W C"]]


@dataclass(frozen=True)
class SampledGradients:
    """The gradients of one class's score at some of the samples.

    Attributes:
        at: the number of the class among those that are explained.
        batch: the numbers of the samples.
        values: the gradient at each of the b samples.
        done: the number of gradients that have been taken so far, all classes together.
    """

    at: int
    batch: slice
    values: Float64[np.ndarray, "b H W C"]
    done: int


def sampled_gradients(
    probe: Probe, samples: GradientSamples, classes: Sequence[Prediction], params: ScoreGradientParams, size: tuple[int, int]
) -> Generator[SampledGradients, None, None]:
    """Yield the gradients of each class's score at all samples. One pass takes as many samples as hold the device for about 0.1 s.

    Args:
        size: the height and width of a sample.
    """
    rows = probe.inputs_per_pass(size, gradient=True)
    done = 0
    for start in range(0, samples.count, rows):
        batch = slice(start, min(start + rows, samples.count))
        tensor = samples.make(batch)
        for at, explained in enumerate(classes):
            found = probe.input_gradients(
                tensor,
                np.full(len(tensor), explained.class_index, np.int32),
                score=params.score,
                output=params.output,
                precision=params.precision,
            )
            done += len(tensor)
            yield SampledGradients(at, batch, found.gradients.astype(np.float64), done)


def add_gradients(
    probe: Probe,
    samples: GradientSamples,
    weights: Float64[np.ndarray, " samples"],
    classes: Sequence[Prediction],
    params: ScoreGradientParams,
    *,
    sums: Float64[np.ndarray, "n H W C"],
) -> Generator[int, None, None]:
    """Add Σ weight·gradient over the samples to `sums`, for each of the n classes, and yield how many gradients are done.

    Args:
        weights: the weight of each sample.
        sums: the array to add to.
    """
    for found in sampled_gradients(probe, samples, classes, params, (sums.shape[1], sums.shape[2])):
        sums[found.at] += np.tensordot(weights[found.batch], found.values, axes=1)
        yield found.done


def add_products(
    probe: Probe,
    samples: GradientSamples,
    factors: Callable[[slice], Float[np.ndarray, "b H W C"]],
    classes: Sequence[Prediction],
    params: ScoreGradientParams,
    *,
    sums: Float64[np.ndarray, "n H W C"],
) -> Generator[int, None, None]:
    """Add Σ factor·gradient over the samples to `sums`, for each of the n classes, and yield how many gradients are done.

    Args:
        factors: returns a factor for each value of the samples of a slice.
        sums: the array to add to.
    """
    for found in sampled_gradients(probe, samples, classes, params, (sums.shape[1], sums.shape[2])):
        sums[found.at] += (factors(found.batch) * found.values).sum(axis=0)
        yield found.done


def as_slices(steps: Generator[int, None, None], slices: PreviewedSlices, before: int = 0) -> Generator[Slice, None, None]:
    """Yield a slice for the work before `add_gradients`, and one for each of its steps. `before` gradients were taken earlier."""
    yield slices.at(before)
    for done in steps:
        yield slices.at(before + done)
