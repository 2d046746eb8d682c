"""Fail a test if the code under test keeps an event loop from its other work."""

from __future__ import annotations

import re
import time
from collections.abc import Generator
from contextlib import contextmanager

import structlog
import uvicorn.protocols.http.auto
import uvicorn.protocols.websockets.auto  # noqa: F401 - a server imports both in its first step otherwise

from telemetry.slow_callbacks import SlowCallback, watched_event_loops

# Seconds of work on the loop's thread; time in which another process has the core does not count. One step takes less than 0.05 s when it
# is repeated. A first step may take longer, because it also imports modules and fills caches.
LIMIT = 0.1
_OF_TESTS = re.compile(r" at \S*/(tests|benchmarks|pytest_asyncio|httpx)/\S*:\d+>")  # where the task's first function is


# The service and the workers write plain tracebacks too. By default, structlog draws a traceback with colours and variables, for 0.1 s.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper("%Y-%m-%d %H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@contextmanager
def no_blocked_loops() -> Generator[None]:
    """Fail if a callback, or a step of a task that neither a test nor a test's client began, works for longer than `LIMIT`."""
    slow: list[SlowCallback] = []
    with watched_event_loops(LIMIT, slow.append, time.thread_time):
        yield
    blocking = [each for each in slow if not _OF_TESTS.search(each.task)]
    lines = ["\n  ".join([f"{each.seconds:.3f} s on the event loop: {each.task}", *each.stack]) for each in blocking]
    assert not blocking, "\n".join(lines)
