"""Make, read, list, cancel and delete batches, for callers."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from pydantic_core import from_json

from jobstore.batches.records import BatchDraft, BatchRecord, Stop
from jobstore.connection import Connection
from jobstore.job_events import CHECK_EVERY, RETRY_PAUSE
from jobstore.keys import is_job_id, key, new_job_id, owner_key
from jobstore.listener import JobListener, JobWatch
from schemas.errors import BrokerUnavailable, CallerLimit, IdempotencyKeyReused, NotFound, StateConflict

MOST_LISTED = 1000  # batches of one owner


class Batches:
    """The batches as their callers see them. An owner never sees another owner's batch.

    All batches of an owner are in one shard. Every method raises `BrokerUnavailable` if Redis does not answer.
    """

    def __init__(self, connection: Connection, listener: JobListener) -> None:
        self._connection = connection
        self._listener = listener

    def new_id(self, owner: str) -> str:
        """Return an id for a new batch of this owner."""
        return new_job_id(self._shard_of_owner(owner), len(self._connection.shards))

    async def made_before(self, owner: str, idempotency_key: str) -> tuple[str, str] | None:
        """Return the request's digest and the id of the batch that an idempotency key has made. Return None if the key is new."""
        value = await self._connection.command("GET", key(self._shard_of_owner(owner), "idempotency", _reservation(owner, idempotency_key)))
        return None if value is None else _digest_and_id(value)

    async def check_limit(self, owner: str) -> None:
        """Check whether the owner may make another batch, before its body is read. `make` checks it again.

        Raises:
            CallerLimit: The owner has too many batches that have not ended.
        """
        name = key(self._shard_of_owner(owner), "active_batches", owner_key(owner))
        unfinished = await self._connection.command("ZCARD", name)
        if unfinished >= self._connection.settings.max_batches_per_caller:
            raise self._too_many(unfinished)

    async def make(self, draft: BatchDraft) -> tuple[BatchRecord, bool]:
        """Make a batch whose files are held, and return it. The second value is False if an idempotency key answers an earlier batch.

        Raises:
            CallerLimit: The owner has too many batches that have not ended.
            IdempotencyKeyReused: The key was used with another request.
            NotFound: The batch that the key made has been deleted.
        """
        settings = self._connection.settings
        outcome, detail = await self._connection.script(
            "make_batch",
            self._connection.shard_of(draft.id),
            batch_id=draft.id,
            owner=draft.owner,
            owner_key=owner_key(draft.owner),
            request_id=draft.request_id,
            total=draft.total,
            segments=draft.segments,
            life=settings.batch_ttl * 1000,
            digest=draft.digest,
            reservation=None if draft.idempotency_key is None else _reservation(draft.owner, draft.idempotency_key),
            most=settings.max_batches_per_caller,
            most_listed=MOST_LISTED,
        )
        if outcome == b"caller_limit":
            raise self._too_many(int(detail))
        if outcome == b"used":
            return await self.answer_again(draft.owner, *_digest_and_id(detail), digest=draft.digest), False
        made = await self.read(draft.id, draft.owner)
        assert made is not None  # noqa: S101 - the script has just made it
        return made, True

    async def answer_again(self, owner: str, earlier_digest: str, batch_id: str, *, digest: str) -> BatchRecord:
        """Return the batch that an idempotency key has made.

        Raises:
            IdempotencyKeyReused: The request was another one.
            NotFound: The batch has been deleted.
        """
        if earlier_digest != digest:
            raise IdempotencyKeyReused("This Idempotency-Key was used with another request. Use a new key for a new request.")
        batch = await self.read(batch_id, owner)
        if batch is None:
            raise NotFound(f"The batch {batch_id}, which this Idempotency-Key made, has been deleted.")
        return batch

    async def read(self, batch_id: str, owner: str) -> BatchRecord | None:
        """Return the batch, or None if there is no such batch or it belongs to another owner."""
        found = await self._read([batch_id], owner) if is_job_id(batch_id) else []
        return found[0] if found else None

    async def page(self, owner: str, cursor: str | None, limit: int) -> tuple[list[BatchRecord], str | None]:
        """Return one page of the owner's batches, newest first, and the cursor of the next page (None after the last page)."""
        name = key(self._shard_of_owner(owner), "batches", owner_key(owner))
        found: list[BatchRecord] = []
        while True:
            newest = "+" if cursor is None else f"({cursor}"
            ids = await self._connection.command("ZRANGE", name, newest, "-", "BYLEX", "REV", "LIMIT", 0, limit + 1)
            texts = [each.decode() for each in ids]
            found += await self._read(texts, owner)
            if len(found) > limit:
                return found[:limit], found[limit - 1].id
            if len(texts) <= limit:
                return found, None
            cursor = texts[-1]

    async def running(self, batch: BatchRecord) -> int:
        """Return how many of the batch's items a worker has started."""
        ids_by_shard: dict[int, list[str]] = {}
        for item in batch.pending:
            if item.job_id is not None:
                ids_by_shard.setdefault(self._connection.shard_of(item.job_id), []).append(item.job_id)
        counts = await asyncio.gather(
            *(self._connection.script("count_running", shard, job_ids=ids) for shard, ids in ids_by_shard.items())
        )
        return sum(counts)

    async def rows(self, batch: BatchRecord, first: int, count: int) -> list[bytes]:
        """Return up to `count` rows of the items that have ended, in the order of completion, from the row `first` on."""
        name = key(self._connection.shard_of(batch.id), "batch_rows", batch.id)
        return list(await self._connection.command("LRANGE", name, first, first + count - 1))

    async def job_ids(self, batch: BatchRecord, first: int) -> list[str | None]:
        """Return the jobs of up to 100 items that have ended, from the row `first` on. Items that never became a job have None."""
        return [from_json(row)["job_id"] for row in await self.rows(batch, first, 100)]

    def watch(self, batch_id: str, *, only_end: bool = False) -> AbstractContextManager[JobWatch]:
        """Watch a batch. See `JobListener.watch`."""
        return self._listener.watch(batch_id, only_end=only_end)

    async def wait(self, batch_id: str, owner: str, seconds: float) -> BatchRecord | None:
        """Return the batch as soon as it has ended, or as it is after `seconds`. Return None if there is no such batch."""
        deadline = time.monotonic() + seconds
        with self.watch(batch_id, only_end=True) as watch:
            while True:
                pause = CHECK_EVERY
                try:
                    batch = await self.read(batch_id, owner)
                    if batch is None or batch.state != "running" or time.monotonic() >= deadline:
                        return batch
                except BrokerUnavailable:
                    if time.monotonic() >= deadline:
                        raise
                    pause = RETRY_PAUSE
                await watch.woken(max(0.0, min(pause, deadline - time.monotonic())))

    async def cancel(self, batch_id: str, owner: str) -> BatchRecord:
        """Ask for the end of a batch: its feeder cancels the items that have not ended. Return the batch.

        Raises:
            NotFound: There is no such batch.
            StateConflict: The batch has already ended otherwise.
        """
        before = await self._stop(batch_id, owner, "canceled")
        batch = await self.read(batch_id, owner) if before else None
        if before is None or batch is None:
            raise NotFound(f"There is no batch {batch_id}.")
        if before not in ("running", "canceled"):
            detail = f"Batch {batch_id} has already ended as {before}. Only a running batch can be canceled."
            raise StateConflict(detail, got=before, allowed="running")
        return batch

    async def delete(self, batch_id: str, owner: str) -> bool:
        """Forget a batch at once. Its feeder cancels what runs and deletes its jobs. Return False if there is no such batch."""
        return await self._stop(batch_id, owner, "deleted") is not None

    async def _stop(self, batch_id: str, owner: str, how: Stop) -> str | None:
        if not is_job_id(batch_id):
            return None
        shard = self._connection.shard_of(batch_id)
        state = await self._connection.script("stop_batch", shard, batch_id=batch_id, owner_key=owner_key(owner), how=how)
        return None if state is None else state.decode()

    async def _read(self, batch_ids: Sequence[str], owner: str) -> list[BatchRecord]:
        if not batch_ids:
            return []
        shard = self._connection.shard_of(batch_ids[0])
        replies = await self._connection.script("read_batches", shard, batch_ids=list(batch_ids), owner_key=owner_key(owner))
        return [BatchRecord.from_redis(reply) for reply in replies]

    def _too_many(self, unfinished: int) -> CallerLimit:
        most = self._connection.settings.max_batches_per_caller
        return CallerLimit(
            f"{unfinished} of your batches have not ended, and at most {most} may be unfinished. Wait for one or cancel one.",
            allowed=str(most),
            got=str(unfinished),
            retry_after=30,
        )

    def _shard_of_owner(self, owner: str) -> int:
        return self._connection.shard_of(owner_key(owner))


def _reservation(owner: str, idempotency_key: str) -> str:
    return f"{owner_key(owner)}:{hashlib.sha256(idempotency_key.encode()).hexdigest()}"


def _digest_and_id(value: bytes) -> tuple[str, str]:
    digest, batch_id, _ = value.decode().split(" ")
    return digest, batch_id
