"""Measure how long a piece of work runs, without the time in which other jobs run between its slices."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TypeVar

from workers.contract.progress import Slice

_Answer = TypeVar("_Answer")


class ActiveTime:
    """Adds up the seconds in which pieces of work run."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def of(self, work: Generator[Slice, None, _Answer]) -> Generator[Slice, None, _Answer]:
        """Do the work, and add its seconds."""
        while True:
            start = time.perf_counter()
            try:
                made = next(work)
            except StopIteration as stop:
                return stop.value
            finally:
                self.seconds += time.perf_counter() - start
            yield made
