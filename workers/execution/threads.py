"""Run blocking functions on the threads of a pool and await them."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any, TypeVar

from workers.execution.at_work import work

Answer = TypeVar("Answer")


async def in_pool(pool: Executor, call: Callable[..., Answer], *args: Any) -> Answer:
    """Return `call(*args)`, computed on a thread of `pool`. The thread logs with the fields that are bound here."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(pool, partial(context.run, call, *args))


async def at_work_in_pool(pool: Executor, call: Callable[..., Answer], *args: Any) -> Answer:
    """Do as `in_pool`. While the thread computes, the execution of this task is at work."""

    def at_work() -> Answer:
        with work().under_way():
            return call(*args)

    return await in_pool(pool, at_work)


async def timed_in_pool(pool: Executor, call: Callable[..., Answer], *args: Any) -> tuple[Answer, float]:
    """Return `call(*args)`, computed on a thread of `pool`, and the seconds that it took there without the time it waited."""

    def timed() -> tuple[Answer, float]:
        started = time.perf_counter()
        answer = call(*args)
        return answer, time.perf_counter() - started

    return await in_pool(pool, timed)
