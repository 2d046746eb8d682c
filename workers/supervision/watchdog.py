"""Deadlines of a worker process, in memory that it shares with the supervisor.

Each part of the worker process writes by when it will be back. If that time passes, the part hangs, and the supervisor replaces the
process. Times are of CLOCK_MONOTONIC, which all processes of a machine share.
"""

from __future__ import annotations

import time
from multiprocessing.context import BaseContext

_EVENT_LOOP = 0  # the index of the event loop's deadline; the device threads' deadlines follow
_NO_DEADLINE = 0.0


class Watchdog:
    """The deadlines of one worker process: one for its event loop and one for each of its device threads.

    The worker process sets them, and the supervisor asks for `overdue`.

    Args:
        context: the multiprocessing context that starts the worker process.
        threads: the number of device threads.
    """

    def __init__(self, context: BaseContext, threads: int) -> None:
        self._deadlines = context.RawArray("d", 1 + threads)

    def expect_event_loop(self, seconds: float) -> None:
        """Promise that the event loop calls this method again within `seconds`."""
        self._deadlines[_EVENT_LOOP] = time.monotonic() + seconds

    def expect_device_call(self, thread: int, seconds: float) -> None:
        """Promise that this thread's device call ends, or promises anew, within `seconds` from now."""
        self._deadlines[1 + thread] = time.monotonic() + seconds

    def device_call_ends(self, thread: int) -> None:
        """Remove the deadline of this thread."""
        self._deadlines[1 + thread] = _NO_DEADLINE

    def overdue(self) -> str | None:
        """Return the part of the process that has missed its deadline, for example "device thread 1", or None if all is well."""
        now = time.monotonic()
        for index, deadline in enumerate(list(self._deadlines)):
            if deadline != _NO_DEADLINE and now > deadline:
                return "event loop" if index == _EVENT_LOOP else f"device thread {index - 1}"
        return None
