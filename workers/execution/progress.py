"""From a slow job's slices to the store: the latest state at most every so often, and a preview now and then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from schemas.errors import BrokerUnavailable, StorageFull
from workers.contract.arrays import UInt8
from workers.contract.progress import Slice

Publish = Callable[[Slice, bytes | None], Awaitable[bool]]
Encode = Callable[[UInt8], Awaitable[bytes]]


class Reporter:
    """Publishes what `update` was last given. `unwanted` is called when the store answers that nobody wants the job any more."""

    def __init__(self, publish: Publish, encode: Encode, unwanted: Callable[[], None], *, interval: float, preview_interval: float) -> None:
        self._publish, self._encode, self._unwanted = publish, encode, unwanted
        self._interval, self._preview_interval = interval, preview_interval
        self._loop = asyncio.get_running_loop()
        self._latest: Slice | None = None
        self._preview: UInt8 | None = None
        self._news = asyncio.Event()

    def update(self, state: Slice) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self._take, state)

    def _take(self, state: Slice) -> None:
        self._latest = state
        if state.preview is not None:
            self._preview = state.preview
        self._news.set()

    async def run(self) -> None:
        """Until cancelled. A broker that is away loses progress events, never the job."""
        next_preview = 0.0
        while True:
            await self._news.wait()
            self._news.clear()
            state, preview = self._latest, None
            if state is None:
                continue
            if self._preview is not None and time.monotonic() >= next_preview:
                picture, self._preview = self._preview, None
                preview = await self._encode(picture)
                next_preview = time.monotonic() + self._preview_interval
            try:
                if not await self._publish(state, preview):
                    self._unwanted()
                    return
            except (BrokerUnavailable, StorageFull):
                pass
            await asyncio.sleep(self._interval)
