"""Run work on megabytes outside the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio.to_thread

_T = TypeVar("_T")
_Arguments = TypeVarTuple("_Arguments")
_LARGE = 16 * 1024  # bytes; work on less takes a few milliseconds


async def on_thread_if_large(size: int, function: Callable[[*_Arguments], _T], *arguments: *_Arguments, large: int = _LARGE) -> _T:
    """Return `function(*arguments)`, which runs on a thread if its input is large.

    Args:
        size: the size of the input, in bytes.
        large: more bytes than these are large.
    """
    return await anyio.to_thread.run_sync(function, *arguments) if size > large else function(*arguments)
