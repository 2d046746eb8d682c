"""The executions that a worker has claimed, and how many more of each lane it may claim."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jobstore.records import Execution
from schemas.methods.card import Lane


@dataclass(eq=False)
class HeldExecution:
    """An execution that this worker has claimed.

    It is `loading` while it waits for its model. Nobody wants it any more if it is `unwanted`.
    """

    execution: Execution
    alone: bool
    loading: bool = False
    task: asyncio.Task[None] | None = None
    unwanted: bool = False


def is_suspect(execution: Execution, max_attempts: int) -> bool:
    """Tell whether the execution was held at so many deaths of workers that the next one may be its last.

    For example, with three attempts it is one after two deaths, whether it was at work at them or was spared.
    """
    deaths = execution.attempt - 1 + execution.spared
    return deaths > 0 and deaths + 1 >= max_attempts


class HeldExecutions:
    """Has room for `limits[lane]` executions of a lane that are at work. It has none while `loading_limit` wait for their models."""

    def __init__(self, limits: Mapping[Lane, int], loading_limit: int) -> None:
        self._limits, self._loading_limit = limits, loading_limit
        self._held: set[HeldExecution] = set()

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[HeldExecution]:
        return iter(self._held)

    def add(self, held: HeldExecution) -> None:
        self._held.add(held)

    def discard(self, held: HeldExecution) -> None:
        self._held.discard(held)

    @property
    def any_alone(self) -> bool:
        """True if one of the executions must be alone in the worker."""
        return any(held.alone for held in self._held)

    def are_only(self, held: HeldExecution) -> bool:
        """Tell whether this execution is alone."""
        return self._held == {held}

    def room(self, lane: Lane) -> int:
        """Return how many more executions of the lane may be claimed. There is no room beside one that must be alone."""
        if self.any_alone or sum(held.loading for held in self._held) >= self._loading_limit:
            return 0
        return self._limits[lane] - self._at_work(lane)

    def set_loading(self, held: HeldExecution, loading: bool) -> bool:
        """Note that an execution waits for its model, or has it. Return False if others have taken its place among those at work."""
        held.loading = loading
        lane = held.execution.lane
        return loading or self._at_work(lane) <= self._limits[lane]

    def _at_work(self, lane: Lane) -> int:
        return sum(held.execution.lane == lane and not held.loading for held in self._held)
