"""Read and write files at once while that is quick, and on threads where it is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

_Answer = TypeVar("_Answer")
_Arguments = TypeVarTuple("_Arguments")
_SLOW_SECONDS = 0.005


class QuickFiles:
    """Calls functions that read or write files.

    A file on a local disk is read or written in less time than a thread takes to begin and to end. The first call that takes longer than
    5 ms, as on a network disk, lets all later calls run on threads, so that they do not wait for each other.
    """

    def __init__(self) -> None:
        self._quick = True

    async def call(self, function: Callable[[*_Arguments], _Answer], *arguments: *_Arguments) -> _Answer:
        """Return `function(*arguments)`, or raise what it raises."""
        if not self._quick:
            return await asyncio.to_thread(function, *arguments)
        began = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            self._quick = time.perf_counter() - began < _SLOW_SECONDS
