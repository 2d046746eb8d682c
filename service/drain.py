"""The way down: from the first signal on the service is no longer ready, streams end and waits are cut short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeVar

_T = TypeVar("_T")


class Drain:
    """Begun once, by the signal handler or by the application's shutdown; never undone."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()

    @property
    def begun(self) -> bool:
        return self._begun.is_set()

    def begin(self) -> None:
        """In the event loop's thread only."""
        self._begun.set()

    async def wait(self) -> None:
        await self._begun.wait()

    async def until_begun(self, items: AsyncIterator[_T]) -> AsyncIterator[_T]:
        """The items of `items`, ending at once when the drain begins."""
        stopped = asyncio.ensure_future(self.wait())
        try:
            while True:
                step = asyncio.ensure_future(anext(items))
                try:
                    await asyncio.wait({step, stopped}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    abandon(step)
                if stopped.done():
                    return
                try:
                    item = step.result()
                except StopAsyncIteration:
                    return
                yield item
        finally:
            abandon(stopped)


def abandon(future: asyncio.Future[Any]) -> None:
    """Cancels what has not ended, and does not wait for it: a blocking read of Redis can take seconds to notice."""
    future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    future.cancel()
