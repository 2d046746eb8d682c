"""The executions that a worker process works on, in memory that it shares with the supervisor.

This memory outlives the process, so after a death it says which executions may have caused it.
"""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing.context import BaseContext

_ID_BYTES = 32  # an id of an execution has 26
_NAME_BYTES = 128


@dataclass(frozen=True)
class DeadWorker:
    """The id of a worker that has died, and the ids of the executions that it worked on then."""

    worker: str
    at_work: tuple[str, ...]


class CrashRecord:
    """The id of one worker process and the executions that it works on. The worker process writes, and the supervisor reads.

    Args:
        context: the multiprocessing context that starts the worker process.
        places: the number of executions that can be at work at a time.
    """

    def __init__(self, context: BaseContext, places: int) -> None:
        self.places = places
        self._worker = context.RawArray("c", _NAME_BYTES)
        self._ids = context.RawArray("c", places * _ID_BYTES)
        self._taken = context.RawArray("b", places)

    def name_worker(self, worker: str) -> None:
        """Write the id of the worker, under which it holds executions. It must do so before it claims any."""
        self._worker.value = worker.encode()

    def write(self, place: int, execution: str) -> None:
        """Write the id of an execution to a place. If the process dies meanwhile, the place still reads as free."""
        self._ids[place * _ID_BYTES : (place + 1) * _ID_BYTES] = execution.encode().ljust(_ID_BYTES, b"\0")
        self._taken[place] = 1

    def erase(self, place: int) -> None:
        """Free a place."""
        self._taken[place] = 0

    def read(self) -> DeadWorker | None:
        """Return what the record says, or None if the worker has not written its id yet, and so holds nothing."""
        worker = self._worker.value.decode()
        ids = self._ids.raw
        taken = (ids[place * _ID_BYTES : (place + 1) * _ID_BYTES] for place in range(self.places) if self._taken[place])
        return DeadWorker(worker, tuple(each.rstrip(b"\0").decode() for each in taken)) if worker else None
