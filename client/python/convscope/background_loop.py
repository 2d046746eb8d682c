"""Run coroutines from ordinary code: an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import Any, TypeVar

Value = TypeVar("Value")
_END: Any = object()


class BackgroundLoop:
    """An event loop that runs in a thread until `close`.

    It works in notebooks, where the main thread has a loop already. The thread does not keep a program alive that forgets `close`.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="convscope-client", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """True if the loop has ended."""
        return self._loop.is_closed()

    def run(self, coroutine: Coroutine[Any, Any, Value]) -> Value:
        """Return what a coroutine returns. If the wait is interrupted, as by Ctrl-C, the coroutine is cancelled.

        Raises:
            RuntimeError: the loop is closed.
        """
        if self._loop.is_closed():
            coroutine.close()
            raise RuntimeError("The client is closed.")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, source: AsyncGenerator[Value]) -> Iterator[Value]:
        """Yield what an asynchronous generator yields, and close it at the end."""

        async def step() -> Value:
            return await anext(source, _END)

        try:
            while (value := self.run(step())) is not _END:
                yield value
        finally:
            if not self._loop.is_closed():
                self.run(source.aclose())

    def close(self) -> None:
        """End the loop and its thread."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
