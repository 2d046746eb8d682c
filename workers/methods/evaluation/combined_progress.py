"""The progress of a job that runs other methods inside."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from workers.contract.progress import Slice

# One run of another method counts as this many steps. A covered image counts as one step.
STEPS_PER_RUN = 100


class CombinedProgress:
    """Counts the steps of several pieces of work as one job."""

    def __init__(self, total: int) -> None:
        """Start at 0 of `total` steps."""
        self._done, self._total = 0, total

    def advance(self, steps: int) -> Slice:
        """Count some steps, and return the slice that ends with them."""
        self._done += steps
        return Slice(self._done, self._total)

    def through(self, work: Generator[Slice, None, Any]) -> Generator[Slice, None, Any]:
        """Run another method: yield its slices as a part of the whole, and return its result."""
        while True:
            try:
                made = next(work)
            except StopIteration as stop:
                self._done += STEPS_PER_RUN
                return stop.value
            yield Slice(self._done + STEPS_PER_RUN * made.step // max(made.total, 1), self._total, preview=made.preview)
