"""Report the progress of a slow job to the store, at limited rates for states and for previews."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from schemas.errors import BrokerUnavailable, StorageFull
from telemetry.logs import get_logger
from workers.contract.arrays import UInt8
from workers.contract.progress import Slice

PublishSlice = Callable[[Slice, bytes | None], Awaitable[bool]]
EncodePreview = Callable[[UInt8], Awaitable[bytes]]


class ProgressReporter:
    """Publish the latest slice that `update` was given.

    Args:
        publish: writes a slice and a preview (PNG, or None) to the store. It returns False if nobody wants the job any more.
        encode: turns a preview, uint8 RGB (H, W, 3), into a PNG file.
        on_unwanted: is called once when `publish` returns False.
        interval: shortest time between two calls of `publish`, in seconds.
        preview_interval: shortest time between two previews, in seconds.
    """

    def __init__(
        self, publish: PublishSlice, encode: EncodePreview, on_unwanted: Callable[[], None], *, interval: float, preview_interval: float
    ) -> None:
        self._publish, self._encode, self._on_unwanted = publish, encode, on_unwanted
        self._interval, self._preview_interval = interval, preview_interval
        self._loop = asyncio.get_running_loop()
        self._latest: Slice | None = None
        self._preview: UInt8 | None = None
        self._updated = asyncio.Event()

    def update(self, state: Slice) -> None:
        """Take the state after a slice. Any thread may call this."""
        self._loop.call_soon_threadsafe(self._take, state)

    def _take(self, state: Slice) -> None:
        self._latest = state
        if state.preview is not None:
            self._preview = state.preview
        self._updated.set()

    async def run(self) -> None:
        """Publish until the task is cancelled. If Redis is unavailable, progress events are lost, but the job goes on.

        A preview that cannot be encoded is logged and left out.
        """
        next_preview = 0.0
        while True:
            await self._updated.wait()
            self._updated.clear()
            state, preview = self._latest, None
            if state is None:
                continue
            if self._preview is not None and time.monotonic() >= next_preview:
                picture, self._preview = self._preview, None
                preview = await self._encoded(picture)
                next_preview = time.monotonic() + self._preview_interval
            try:
                if not await self._publish(state, preview):
                    self._on_unwanted()
                    return
            except (BrokerUnavailable, StorageFull):
                pass
            await asyncio.sleep(self._interval)

    async def _encoded(self, picture: UInt8) -> bytes | None:
        try:
            return await self._encode(picture)
        except Exception:
            get_logger(__name__).exception("a preview could not be encoded")
            return None
