"""Waiting on one event loop for something to become true."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Bell:
    """Whoever changes something rings; whoever waits looks again."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns once `condition` holds; it is evaluated now and after every ring."""
        while not condition():
            await self._rung.wait()
