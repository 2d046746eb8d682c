"""Turn the items of batches into jobs under a lease, for the services that feed the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from ulid import ULID

from jobstore.batches.records import BatchRecord, FeedingState, ItemEnd, NotedEnd
from jobstore.connection import Connection
from jobstore.keys import key

_CLAIMED_TOGETHER = 4
_NOTES_TOGETHER = 500


class LeaseLost(Exception):
    """Another feeder has taken the batch over, or the batch is gone. Nothing was written."""


class BatchFeeding:
    """Gives each batch to one feeder at a time. A feeder's writes are refused after it has lost the lease.

    Every method raises `BrokerUnavailable` if Redis does not answer. Every method can be repeated.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lease = round(connection.settings.lease * 1000)
        self.feeder = str(ULID())

    async def claim(self) -> list[BatchRecord]:
        """Take the leases of batches that nobody feeds, a few in each shard. Shards that do not answer are left out, unless none does."""
        arguments = {"feeder": self.feeder, "lease": self._lease, "most": _CLAIMED_TOGETHER}
        shards = await self._connection.script_where_it_can("claim_batches", **arguments)
        return [BatchRecord.from_redis(reply) for replies in shards for reply in replies]

    async def renew(self, batch_id: str) -> FeedingState:
        """Renew the lease of a batch and return how the batch is.

        Raises:
            LeaseLost: Another feeder has the lease now.
        """
        stop, taken, pending = _held(await self._run("renew_batch", batch_id, lease=self._lease))
        return FeedingState(stop.decode() or None, taken, pending)

    async def hand_over(self, batch_id: str) -> None:
        """Give the lease back, so that another feeder goes on at once."""
        await self._run("renew_batch", batch_id, lease=0)

    async def take_segment(self, batch_id: str, segment: int, first: int, count: int) -> None:
        """Note that the items of a segment are in hand from now on.

        Raises:
            LeaseLost: Another feeder has the lease now.
        """
        _held(await self._run("take_segment", batch_id, segment=segment, first=first, count=count))

    async def assign(self, batch_id: str, number: int, job_id: str) -> str:
        """Give an item a job id, unless it has one already. Return the item's job id.

        Raises:
            LeaseLost: Another feeder has the lease now, or the item has ended.
        """
        return _held(await self._run("assign_job", batch_id, item=number, job_id=job_id)).decode()

    async def end_items(self, batch_id: str, ends: Sequence[ItemEnd]) -> None:
        """End items, in this order. Items that have ended already stay as they are.

        Raises:
            LeaseLost: Another feeder has the lease now.
        """
        if ends:
            rows = [end.row for end in ends]
            numbers, counted_as = [end.number for end in ends], [end.counted_as for end in ends]
            _held(await self._run("end_items", batch_id, *rows, items=numbers, counted_as=counted_as))

    async def noted_ends(self, batch_id: str) -> list[NotedEnd]:
        """Return the notes of all shards about jobs of a batch that have ended, the oldest first in each shard."""
        names = [key(shard, "item_ends", batch_id) for shard in self._connection.shards]
        found = await asyncio.gather(*(self._connection.command("ZRANGE", name, 0, _NOTES_TOGETHER - 1) for name in names))
        return [NotedEnd.of(shard, text.decode()) for shard, texts in zip(self._connection.shards, found, strict=True) for text in texts]

    async def forget_notes(self, batch_id: str, notes: Sequence[NotedEnd]) -> None:
        """Delete notes whose items have been ended."""
        for shard in {note.shard for note in notes}:
            texts = [note.text for note in notes if note.shard == shard]
            await self._connection.command("ZREM", key(shard, "item_ends", batch_id), *texts)

    async def finish(self, batch_id: str) -> None:
        """End a batch whose items have all ended, or forget a deleted one.

        Raises:
            LeaseLost: Another feeder has the lease now.
        """
        _held(await self._run("finish_batch", batch_id))

    async def _run(self, script: str, batch_id: str, *payload: str, **arguments: Any) -> Any:
        shard = self._connection.shard_of(batch_id)
        return await self._connection.script(script, shard, *payload, batch_id=batch_id, feeder=self.feeder, **arguments)


def _held(reply: Any) -> Any:
    if not reply:
        raise LeaseLost("Another service feeds this batch now.")
    return reply
