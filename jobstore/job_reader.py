"""Read jobs as they are at this moment, from all shards."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from jobstore.connection import Connection
from jobstore.keys import is_job_id, key, owner_key
from jobstore.records import JobRecord
from jobstore.snapshot import JobSnapshot


class JobReader:
    """Reads jobs for the other parts of the store. Every method raises `BrokerUnavailable` if Redis does not answer."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def snapshot(self, job_id: str, owner: str) -> JobSnapshot | None:
        """Return the job at this moment, or None if there is no such job or it belongs to another owner."""
        if not is_job_id(job_id):
            return None
        snapshots = await self._snapshots_in(self._connection.shard_of(job_id), [job_id], owner)
        return snapshots[0] if snapshots else None

    async def snapshots(self, job_ids: Sequence[str], owner: str) -> list[JobSnapshot]:
        """Return the jobs that exist and belong to the owner, in the order of `job_ids`."""
        ids_by_shard: dict[int, list[str]] = {}
        for job_id in job_ids:
            ids_by_shard.setdefault(self._connection.shard_of(job_id), []).append(job_id)
        found = await asyncio.gather(*(self._snapshots_in(shard, ids, owner) for shard, ids in ids_by_shard.items()))
        by_id = {snapshot.id: snapshot for snapshots in found for snapshot in snapshots}
        return [by_id[job_id] for job_id in job_ids if job_id in by_id]

    async def newest_ids(self, owner: str, before: str | None, count: int) -> list[str]:
        """Return the ids of the owner's `count` newest jobs that are older than the job `before` (None: of all), newest first."""
        newest = "+" if before is None else f"({before}"
        names = (key(shard, "jobs", owner_key(owner)) for shard in self._connection.shards)
        ids = await asyncio.gather(
            *(self._connection.command("ZRANGE", name, newest, "-", "BYLEX", "REV", "LIMIT", 0, count) for name in names)
        )
        return sorted((job_id.decode() for shard in ids for job_id in shard), reverse=True)[:count]

    async def record(self, snapshot: JobSnapshot, owner: str) -> JobRecord:
        """Return the record of a job. Its queue position counts the executions of all shards."""
        record = snapshot.record(owner)
        if record.queue_position is None or len(self._connection.shards) == 1:
            return record
        own = self._connection.shard_of(snapshot.id)
        place = {"lane": record.lane, "priority": snapshot.execution_priority, "queued_at": snapshot.queued_at}
        others = (shard for shard in self._connection.shards if shard != own)
        ahead = await asyncio.gather(*(self._connection.script("ahead", shard, **place, ties=shard < own) for shard in others))
        return record.model_copy(update={"queue_position": record.queue_position + sum(ahead)})

    async def _snapshots_in(self, shard: int, job_ids: Sequence[str], owner: str) -> list[JobSnapshot]:
        replies = await self._connection.script("read", shard, job_ids=job_ids, owner_key=owner_key(owner))
        return [JobSnapshot(reply) for reply in replies]
