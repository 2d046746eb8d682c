"""The orderly end of the service.

From the first signal on it is no longer ready, event streams end, and polls are answered at once, since a poll can go on elsewhere. A
one-line call cannot: it waits on for its answer, until shortly before the service closes the connections that are still open.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.errors import ShuttingDown

_T = TypeVar("_T")
ANSWERING_SECONDS = 2.0  # so long before the connections are closed, one-line calls that still wait are answered


class Drain:
    """A switch that the signal handler or the application's shutdown turns on once. It is never turned off."""

    def __init__(self, patience: float = 0.0) -> None:
        """Prepare a drain in which one-line calls may wait for `patience` seconds more."""
        self._patience = patience
        self._begun, self._last_call = asyncio.Event(), asyncio.Event()

    @property
    def begun(self) -> bool:
        return self._begun.is_set()

    def begin(self) -> None:
        """Begin the drain. Call this in the event loop's thread only."""
        if not self.begun:
            self._begun.set()
            asyncio.get_running_loop().call_later(self._patience, self._last_call.set)

    async def wait(self) -> None:
        """Return when the drain begins."""
        await self._begun.wait()

    async def wait_for_last_call(self) -> None:
        """Return when one-line calls have to be answered, too."""
        await self._last_call.wait()

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


class ClosingMiddleware:
    """Asks clients to close their connections while the service drains.

    A client that keeps its connection open could send its next request just when the service closes the connection, and would then read no
    answer. The server closes the connection after an answer with this header.
    """

    def __init__(self, app: ASGIApp, *, drain: Drain) -> None:
        self._app, self._drain = app, drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start" and self._drain.begun:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_and_close)


def abandon(future: asyncio.Future[Any]) -> None:
    """Cancel `future` if it has not ended, and do not wait for it: a blocking read of Redis can take seconds to notice."""
    future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    future.cancel()
