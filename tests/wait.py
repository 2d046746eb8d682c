"""Waiting for what another process or task brings about."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

TICK = 0.02


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Returns once `condition` holds; fails the test when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not come true within {seconds} s: {inspect.getsource(condition).strip()}"
        time.sleep(TICK)


async def until(condition: Callable[[], Awaitable[object] | object], seconds: float = 30.0) -> None:
    """The same on an event loop; `condition` may be a coroutine function."""
    deadline = time.monotonic() + seconds
    while True:
        holds = condition()
        if inspect.isawaitable(holds):
            holds = await holds
        if holds:
            return
        assert time.monotonic() < deadline, f"did not come true within {seconds} s: {inspect.getsource(condition).strip()}"
        await asyncio.sleep(TICK)
