"""Do one read for all who want the same thing at once, and remember what was read last."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class SharedReads(Generic[_T]):
    """Shares reads that are in progress, and remembers finished ones up to a number of bytes, the ones that were used last."""

    def __init__(self, size: Callable[[_T], int], max_bytes: int = 0) -> None:
        """Start empty.

        Args:
            size: Gives the bytes of what was read.
            max_bytes: What is remembered has at most this many bytes in all. With 0, only reads in progress are shared.
        """
        self._size, self._max_bytes = size, max_bytes
        self._in_progress: dict[Hashable, asyncio.Task[_T]] = {}
        self._remembered: OrderedDict[Hashable, _T] = OrderedDict()
        self._bytes = 0

    async def get(self, key: Hashable, read: Callable[[], Awaitable[_T]]) -> _T:
        """Return what `read` returns for this key. A read in progress goes on if its callers leave.

        Raises:
            Exception: The read failed. All who share it get its error, and the next caller reads again.
        """
        if key in self._remembered:
            self._remembered.move_to_end(key)
            return self._remembered[key]
        task = self._in_progress.get(key)
        if task is None:
            task = asyncio.ensure_future(read())
            self._in_progress[key] = task
            task.add_done_callback(lambda ended: self._finish(key, ended))
        return await asyncio.shield(task)

    def _finish(self, key: Hashable, task: asyncio.Task[_T]) -> None:
        del self._in_progress[key]
        if task.cancelled() or task.exception() is not None:
            return
        size = self._size(task.result())
        if size > self._max_bytes:
            return
        self._remembered[key] = task.result()
        self._bytes += size
        while self._bytes > self._max_bytes:
            self._bytes -= self._size(self._remembered.popitem(last=False)[1])
