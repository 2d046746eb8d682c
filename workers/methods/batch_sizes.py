"""Divide many inputs into passes of the model, so that a slow method does not hold the device for long."""

from __future__ import annotations

from collections.abc import Iterator

from workers.contract.probe import Probe

# If jobs ask for more classes than there are jobs in the batch, one gradient pass takes this many rows.
GRADIENT_ROWS = 8


def batches(probe: Probe, size: tuple[int, int], count: int) -> Iterator[slice]:
    """Yield slices that cover `count` inputs of `size` (height, width), each as long as one forward pass should be."""
    rows = probe.inputs_per_pass(size)
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))


def gradient_batches(rows: int, jobs: int) -> Iterator[slice]:
    """Yield slices that cover `rows` rows (one for each class of each job), each as long as one gradient pass should be.

    The last slice may reach beyond the end.
    """
    step = max(GRADIENT_ROWS, jobs)
    for start in range(0, rows, step):
        yield slice(start, start + step)
