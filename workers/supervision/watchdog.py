"""A worker process's signs of life, in memory that it shares with the supervisor.

Each part of the process says by when it will be back; a time that has passed means that it hangs. The times are of
CLOCK_MONOTONIC, which all processes of a machine share.
"""

from __future__ import annotations

import time
from multiprocessing.context import BaseContext

_LOOP = 0  # the event loop's deadline; the device threads' follow
_NONE = 0.0


class Vitals:
    """Deadlines of the event loop and of `threads` device threads; 0 where nothing is under way."""

    def __init__(self, context: BaseContext, threads: int) -> None:
        self._deadlines = context.RawArray("d", 1 + threads)

    def loop_back_within(self, seconds: float) -> None:
        self._deadlines[_LOOP] = time.monotonic() + seconds

    def enter(self, thread: int, seconds: float) -> None:
        """A device call begins that must return within `seconds`."""
        self._deadlines[1 + thread] = time.monotonic() + seconds

    def leave(self, thread: int) -> None:
        self._deadlines[1 + thread] = _NONE

    def overdue(self) -> str | None:
        """What should have come back and has not, in words; None when all is well."""
        now = time.monotonic()
        for index, deadline in enumerate(list(self._deadlines)):
            if deadline != _NONE and now > deadline:
                return "event loop" if index == _LOOP else f"device thread {index - 1}"
        return None
