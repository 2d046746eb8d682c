"""Calls on threads of a pool, awaited."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any, TypeVar

Answer = TypeVar("Answer")


async def in_pool(pool: Executor, call: Callable[..., Answer], *args: Any) -> Answer:
    """`call(*args)` on a thread of `pool`, with what is bound to the log here."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(pool, partial(context.run, call, *args))


async def timed_in_pool(pool: Executor, call: Callable[..., Answer], *args: Any) -> tuple[Answer, float]:
    """The same, with the seconds it took on its thread."""

    def timed() -> tuple[Answer, float]:
        started = time.perf_counter()
        answer = call(*args)
        return answer, time.perf_counter() - started

    return await in_pool(pool, timed)
