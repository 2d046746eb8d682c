"""Claim, renew, finish and give back executions, for workers."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from jobstore.account import FileAccount
from jobstore.connection import LONGEST_BLOCK, Connection
from jobstore.files import content_digest
from jobstore.outcome import LONGEST_IN_REDIS, failure_outcome, outcome_in_file, success_outcome
from jobstore.records import Execution, LaneDepth, QueueDepth, Result
from jobstore.snapshot import execution_from_claim
from jobstore.wakeups import WakeupReads
from schemas.artifacts import DeferredPicture, EncodedArtifact
from schemas.errors import BrokerUnavailable, StorageFull
from schemas.jobs import JobError, Progress
from schemas.methods.card import Lane

LOOKS = 10  # in the time of a lease, how often a worker looks for executions whose lease has run out


class JobQueue:
    """Gives executions to workers and takes their results.

    Methods that write for an execution return False if it has been canceled or another worker holds it now. Nothing is written then,
    and the worker must stop.

    Every method raises `BrokerUnavailable` if Redis does not answer.
    """

    def __init__(self, connection: Connection, account: FileAccount) -> None:
        self._connection = connection
        self._account = account
        self._wakeups = WakeupReads(connection)
        self._drained: dict[tuple[str, Lane], Mapping[int, str]] = {}
        self._last_look: dict[tuple[str, Lane, int], float] = {}

    async def close(self) -> None:
        """Stop waiting for wake-ups."""
        await self._wakeups.close()

    async def claim(self, worker: str, lane: Lane, count: int, block: float) -> list[Execution]:
        """Return up to `count` executions, which are now `running` and held by `worker`. Wait up to `block` seconds for the first.

        Executions whose lease has run out and those that were given back come first, then new ones, high priority before normal before
        low. An execution that has used up `max_attempts` ends with the error `worker_crashed` and is not returned. If this call is
        canceled, the executions that it has already claimed are given back.

        Raises:
            StorageFull: The memory of Redis is full.
        """
        deadline = time.monotonic() + block
        # If the last claim has emptied the queue, nothing can be claimed before the next wake-up.
        last_wakeups = self._drained.pop((worker, lane), None)
        while True:
            remaining = deadline - time.monotonic()
            if last_wakeups is not None and remaining > 0:
                await self._wakeups.wait(lane, last_wakeups, min(remaining, self._connection.settings.lease, LONGEST_BLOCK))
            last_wakeups, found = await self._claim_now(worker, lane, count)
            if found or deadline <= time.monotonic():
                if len(found) < count:
                    self._drained[worker, lane] = last_wakeups
                return found

    async def renew(self, worker: str, executions: Sequence[Execution]) -> list[Execution]:
        """Renew the leases of executions. Return those that were canceled or that another worker has taken over."""
        lost: list[Execution] = []
        for shard in {each.shard for each in executions}:
            ours = [each for each in executions if each.shard == shard]
            pairs = [(each.key, each.claim) for each in ours]
            held = await self._connection.script("renew", shard, worker=worker, executions=pairs)
            lost += [each for each, is_held in zip(ours, held, strict=True) if not is_held]
        return lost

    async def progress(self, execution: Execution, step: int, total: int, value: float | None = None, preview: bytes | None = None) -> bool:
        """Publish progress to every job of an execution, and a preview (PNG) if there is one. False means: stop.

        Raises:
            StorageFull: The memory of Redis is full.
        """
        text = Progress(step=step, total=total, value=value).model_dump_json()
        return await self._write("progress", execution, *([] if preview is None else [preview]), progress=text, step=step)

    async def complete(self, execution: Execution, result: Result) -> bool:
        """End an execution with its result. Return False if it is no longer the worker's.

        Raises:
            StorageFull: What waits and runs takes all the room. Nothing is written, and the worker still holds the execution.
            BrokerUnavailable: The result may be written or not. Calling again with the same result settles it.
        """
        contents = {each.sha256: each.content for each in result.artifacts if isinstance(each, EncodedArtifact)}
        kept = success_outcome(result)
        if len(content := kept.encode()) > LONGEST_IN_REDIS:
            digest = await content_digest(content)
            contents[digest], kept = content, outcome_in_file(digest)
        outcome, _, _ = await self._account.run(
            "complete",
            execution.shard,
            contents,
            kept,
            may_use_reserve=True,
            execution_id=execution.key,
            claim=execution.claim,
            digests=list(contents),
            progress=result.progress.model_dump_json(),
            keeps_images=any(each.needs_photo for each in result.artifacts if isinstance(each, DeferredPicture)),
        )
        return outcome == "done"

    async def fail(self, execution: Execution, error: JobError) -> bool:
        """End an execution with an error. Return False if it is no longer the worker's."""
        return await self._write("fail", execution, failure_outcome(error))

    async def release(self, execution: Execution) -> bool:
        """Give an execution back: it becomes the first of its queue and the attempt does not count.

        Return False if it is no longer the worker's.
        """
        return await self._write("release", execution)

    async def depth(self) -> QueueDepth:
        """Return how many executions of each lane are queued and running, over all shards."""
        shards = await asyncio.gather(*(self._connection.script("depth", shard) for shard in self._connection.shards))
        fast, slow = (
            LaneDepth(sum(depth[0] for depth in lane), sum(depth[1] for depth in lane), max(depth[2] for depth in lane) / 1000)
            for lane in zip(*shards, strict=True)
        )
        return QueueDepth({"fast": fast, "slow": slow})

    async def _write(self, script: str, execution: Execution, *payload: bytes | str, **arguments: Any) -> bool:
        """Run a script that writes only if the worker still holds the execution, and return whether it did."""
        reply = await self._connection.script(
            script, execution.shard, *payload, execution_id=execution.key, claim=execution.claim, **arguments
        )
        return bool(reply)

    async def _claim_now(self, worker: str, lane: Lane, count: int) -> tuple[Mapping[int, str], list[Execution]]:
        """Claim what can be claimed without waiting. Return the id of each shard's last wake-up before that, and the executions."""
        last_wakeups: dict[int, str] = {}
        found: list[Execution] = []
        shards = len(self._connection.shards)
        first = time.monotonic_ns() % shards  # so that no shard is always served last
        for shard in (*range(first, shards), *range(first)):
            if len(found) == count:
                break
            claiming = asyncio.ensure_future(self._claim_from(shard, worker, lane, count - len(found)))
            try:
                last_wakeups[shard], claimed = await asyncio.shield(claiming)
            except asyncio.CancelledError:
                with suppress(BrokerUnavailable, StorageFull):  # then other workers take over when the lease has run out
                    for each in [*found, *(await claiming)[1]]:
                        await self.release(each)
                raise
            found += claimed
        return last_wakeups, found

    async def _claim_from(self, shard: int, worker: str, lane: Lane, count: int) -> tuple[str, list[Execution]]:
        settings, now = self._connection.settings, time.monotonic()
        place = worker, lane, shard
        looks = now - self._last_look.get(place, -math.inf) >= settings.lease / LOOKS
        last_wakeup, *claimed = await self._connection.script(
            "claim",
            shard,
            worker=worker,
            lane=lane,
            count=count,
            lease=round(settings.lease * 1000),
            max_attempts=settings.max_attempts,
            looks=looks or None,
        )
        if looks:
            self._last_look[place] = now
        return last_wakeup.decode(), [execution_from_claim(reply, shard, lane) for reply in claimed]
