"""The orderly end of the service. From the first signal on it is no longer ready, event streams end and waits are cut short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

from schemas.errors import ShuttingDown

_T = TypeVar("_T")


class Drain:
    """A switch that the signal handler or the application's shutdown turns on once. It is never turned off."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()

    @property
    def begun(self) -> bool:
        return self._begun.is_set()

    def begin(self) -> None:
        """Begin the drain. Call this in the event loop's thread only."""
        self._begun.set()

    async def wait(self) -> None:
        """Return when the drain begins."""
        await self._begun.wait()

    async def cut_short(self, call: Coroutine[Any, Any, _T]) -> _T:
        """Return what `call` returns, and abandon it when the drain begins.

        Raises:
            ShuttingDown: the drain began first.
        """
        called, stopped = asyncio.ensure_future(call), asyncio.ensure_future(self.wait())
        try:
            await asyncio.wait({called, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not called.done():
                raise ShuttingDown("The service is shutting down and no longer waits. Please send the request again.", retry_after=1)
            return called.result()
        finally:
            abandon(called)
            abandon(stopped)

    async def until_begun(self, items: AsyncGenerator[_T]) -> AsyncGenerator[_T]:
        """Yield the items of `items`, and end at once when the drain begins. Closing this closes `items`."""
        stopped = asyncio.ensure_future(self.wait())
        following = None
        try:
            while True:
                following = asyncio.ensure_future(anext(items))
                try:
                    await asyncio.wait({following, stopped}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    abandon(following)
                if stopped.done():
                    return
                try:
                    item = following.result()
                except StopAsyncIteration:
                    return
                yield item
        finally:
            abandon(stopped)
            if following is not None and following.done():  # otherwise its cancellation closes `items`
                await items.aclose()


def abandon(future: asyncio.Future[Any]) -> None:
    """Cancel `future` if it has not ended, and do not wait for it: a blocking read of Redis can take seconds to notice."""
    future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    future.cancel()
