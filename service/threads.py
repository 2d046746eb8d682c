"""Run work on megabytes outside the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio.to_thread

_T = TypeVar("_T")
_Arguments = TypeVarTuple("_Arguments")
_LARGE = 16 * 1024  # bytes; work on less takes a few milliseconds


async def on_thread_if_large(size: int, function: Callable[[*_Arguments], _T], *arguments: *_Arguments) -> _T:
    """Return `function(*arguments)`, which runs on a thread if its input has more than 16 KiB. `size` is the input's size in bytes."""
    return await anyio.to_thread.run_sync(function, *arguments) if size > _LARGE else function(*arguments)
