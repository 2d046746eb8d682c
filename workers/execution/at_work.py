"""Note which executions the process works on, so that a death of the process is charged to them and to no others.

An execution is at work while it is on the device, while its model is loaded, while its result is drawn, and whenever it runs alone. While
it waits, or while a child process decodes its photo, it is not. The work of a task or thread is found with `work`, as the place in a
trace is. It follows the execution through `await` and to the threads of `in_pool`. Whoever hands work to another thread by other means
takes `work()` with it.

Example:
    with at_work.holding(execution.key):
        with work().under_way():  # from here on, a death of the process counts against the execution
            ...
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol


class WorkRecord(Protocol):
    """Keeps the ids of the executions at work where the supervisor reads them; `workers.supervision.crash_record.CrashRecord` does."""

    @property
    def places(self) -> int:
        """The number of executions that there is room for."""
        ...

    def write(self, place: int, execution: str) -> None: ...
    def erase(self, place: int) -> None: ...


class ExecutionsAtWork:
    """Writes each execution to a place of the record while any thread works on it. It is thread-safe."""

    def __init__(self, record: WorkRecord) -> None:
        self._record = record
        self._free = list(range(record.places))
        self._places: dict[str, int] = {}
        self._threads: dict[str, int] = {}  # how many threads work on each execution
        self._lock = threading.Lock()

    @contextmanager
    def holding(self, execution: str) -> Generator[None]:
        """Make `work()` that of this execution inside the block. This alone is no work."""
        token = _WORK.set(Work(self, execution))
        try:
            yield
        finally:
            _WORK.reset(token)

    def begin(self, execution: str) -> None:
        """Note that a thread begins to work on the execution.

        Raises:
            IndexError: The record has no free place.
        """
        with self._lock:
            if execution not in self._places:
                place = self._places[execution] = self._free.pop()
                self._record.write(place, execution)
            self._threads[execution] = self._threads.get(execution, 0) + 1

    def end(self, execution: str) -> None:
        """Note that a thread has ended its work on the execution."""
        with self._lock:
            self._threads[execution] -= 1
            if not self._threads[execution]:
                place = self._places.pop(execution)
                del self._threads[execution]
                self._record.erase(place)
                self._free.append(place)


@dataclass(frozen=True)
class Work:
    """The work on one execution. Without `at_work`, it is work for nobody, for example when a worker warms up."""

    at_work: ExecutionsAtWork | None = None
    execution: str = ""

    @contextmanager
    def under_way(self) -> Generator[None]:
        """Count a death of the process against the execution inside the block."""
        if self.at_work is None:
            yield
            return
        self.at_work.begin(self.execution)
        try:
            yield
        finally:
            self.at_work.end(self.execution)


@contextmanager
def all_under_way(works: Sequence[Work]) -> Generator[None]:
    """Count a death of the process against several executions inside the block, for example against all of a batch."""
    with ExitStack() as stack:
        for each in works:
            stack.enter_context(each.under_way())
        yield


_WORK: ContextVar[Work] = ContextVar("work", default=Work())  # noqa: B039 - it is frozen


def work() -> Work:
    """Return the work of this task or thread."""
    return _WORK.get()
