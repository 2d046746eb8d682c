"""Let tasks of one event loop wait until a condition holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Notifier:
    """Wake the waiting tasks after a change, so that each checks its condition again.

    Unlike `asyncio.Condition`, it needs no lock, and `notify` is a plain call.
    """

    def __init__(self) -> None:
        self._notified = asyncio.Event()

    def notify(self) -> None:
        """Let all waiting tasks check their conditions again."""
        notified, self._notified = self._notified, asyncio.Event()
        notified.set()

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return when `condition()` is true. It is evaluated now and after each notification."""
        while not condition():
            await self._notified.wait()
