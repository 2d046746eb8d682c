"""Feed the batches that no other service feeds. Every process of the service runs one feeder."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from jobstore.batches.feeding import LeaseLost
from jobstore.batches.records import BatchRecord
from schemas.errors import BrokerUnavailable, StorageFull, VisualizationError
from service.batches.feed_batch import BatchFeed
from service.dependencies import Services

_LOOK_EVERY = 1.0  # seconds between two looks for batches that nobody feeds
_log = structlog.get_logger(__name__)


class BatchFeeder:
    """Takes the leases of batches and feeds each in a task, until it is closed.

    A service that ends hands its leases over. The batches of one that is killed are taken over when their leases have run out.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._feeding = services.store.batch_feeding
        self._feeds: dict[str, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for batches."""
        self._looking = asyncio.create_task(self._look(), name="batch feeder")

    async def close(self) -> None:
        """Stop, and hand the batches over to other services."""
        tasks = [*([self._looking] if self._looking else []), *self._feeds.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self) -> None:
        while not self._services.drain.begun:
            try:
                for batch in await self._feeding.claim():
                    if batch.id not in self._feeds:
                        self._feeds[batch.id] = asyncio.create_task(self._feed(batch), name=f"feed batch {batch.id}")
            except (BrokerUnavailable, StorageFull) as error:
                _log.warning("batches_not_looked_for", reason=error.detail)
            except Exception:  # if this task ended, no batch would be fed until the service is started again
                _log.exception("batches_not_looked_for")
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY):
                    await self._services.batch_made.wait()
            self._services.batch_made.clear()
        for task in self._feeds.values():
            task.cancel()

    async def _feed(self, batch: BatchRecord) -> None:
        try:
            await BatchFeed(self._services, batch).run()
        except LeaseLost:
            _log.info("batch_lease_lost", batch_id=batch.id)
        except asyncio.CancelledError:
            await self._hand_over(batch)
            raise
        except Exception:
            _log.exception("batch_feed_failed", batch_id=batch.id)  # the lease runs out, and then it is tried again
        finally:
            self._feeds.pop(batch.id, None)

    async def _hand_over(self, batch: BatchRecord) -> None:
        try:
            await self._feeding.hand_over(batch.id)
        except VisualizationError as error:  # the lease runs out
            _log.warning("batch_not_handed_over", batch_id=batch.id, reason=error.detail)
