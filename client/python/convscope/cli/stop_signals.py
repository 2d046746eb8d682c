"""Let Ctrl-C end a run in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any


async def until_stopped(work: Coroutine[Any, Any, None]) -> bool:
    """Run `work` until it ends or a signal (SIGINT or SIGTERM) comes, which cancels it. Return whether it was canceled.

    Only the main thread of a program may call this.
    """
    task, stop = asyncio.ensure_future(work), asyncio.Event()
    waiting = asyncio.ensure_future(stop.wait())
    with _signals(asyncio.get_running_loop(), stop.set):
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            task.result()
            return False
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return True


@contextmanager
def _signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> Generator[None]:
    def received(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)

    before = {number: signal.signal(number, received) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
