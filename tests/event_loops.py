"""Fail a test if the code under test keeps an event loop from its other work."""

from __future__ import annotations

import re
import time
from collections.abc import Generator
from contextlib import contextmanager

from telemetry.slow_callbacks import SlowCallback, watched_event_loops

LIMIT = 0.05  # seconds of work on the loop's thread; time in which another process has the core does not count
_OF_TESTS = re.compile(r" at \S*/(tests|benchmarks|pytest_asyncio|httpx)/\S*:\d+>")  # where the task's first function is


@contextmanager
def no_blocked_loops() -> Generator[None]:
    """Fail if a callback, or a step of a task that neither a test nor a test's client began, works for longer than `LIMIT`."""
    slow: list[SlowCallback] = []
    with watched_event_loops(LIMIT, slow.append, time.thread_time):
        yield
    blocking = [each for each in slow if not _OF_TESTS.search(each.task)]
    lines = ["\n  ".join([f"{each.seconds:.3f} s on the event loop: {each.task}", *each.stack]) for each in blocking]
    assert not blocking, "\n".join(lines)
