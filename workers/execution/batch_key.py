"""The key that must be equal for fast jobs to run as one batch."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from jobstore.records import Execution


@dataclass(frozen=True)
class BatchKey:
    """Jobs with equal keys can run as one batch.

    `model` is the `id` of the loaded model, which no other model can have while the job that holds the model waits; keys are compared only
    among waiting jobs. `parameters` is the method's own `batch_key`, `shape` is the shape of the input tensor, and
    `inputs` tells what the model's other inputs are given. `fit` is how the photos are brought to the input: a batch has one target image
    and one value of each other input for all its jobs, so these must have been brought to their inputs in the same way. `apart` is that of
    the function `apart`.
    """

    model: int
    method: str
    parameters: Hashable
    shape: tuple[int, ...] = ()
    inputs: str = ""
    fit: str | None = None
    apart: str = ""


def apart(execution: Execution) -> str:
    """Return a text that only executions have in common which may be in one batch.

    An execution that was at work when its worker died is in no batch with others: if it is the one that kills workers, no other execution
    is charged for the next death.
    """
    return execution.key if execution.attempt > 1 else ""
