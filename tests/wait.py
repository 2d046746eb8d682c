"""Wait until another process or task has done something."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

TICK = 0.02


def wait_until(condition: Callable[[], object], seconds: float = 50.0) -> None:
    """Return when `condition()` is true. Fail the test if that does not happen within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"This did not become true within {seconds} s: {inspect.getsource(condition).strip()}"
        time.sleep(TICK)


async def until(condition: Callable[[], Awaitable[object] | object], seconds: float = 50.0) -> None:
    """Do the same on an event loop. `condition` may be a coroutine function."""
    deadline = time.monotonic() + seconds
    while True:
        holds = condition()
        if inspect.isawaitable(holds):
            holds = await holds
        if holds:
            return
        assert time.monotonic() < deadline, f"This did not become true within {seconds} s: {inspect.getsource(condition).strip()}"
        await asyncio.sleep(TICK)
