"""Read jobs as they are at this moment, from all shards."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from jobstore.account import FileAccount
from jobstore.connection import Connection
from jobstore.files import SHARED_FILES
from jobstore.keys import is_job_id, key, owner_key
from jobstore.outcome import lost_outcome
from jobstore.records import JobRecord
from jobstore.snapshot import JobSnapshot

_QUICK_BYTES = 256 * 1024  # of an outcome, which become a record in about 3 ms; a longer one is read on a thread


class JobReader:
    """Reads jobs for the other parts of the store. Every method raises `BrokerUnavailable` if Redis does not answer."""

    def __init__(self, connection: Connection, account: FileAccount) -> None:
        self._connection = connection
        self._account = account

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
        """Return the record of a job. Its queue position counts the executions of all shards.

        If the file with a long outcome is missing or damaged, the record has no results, and a warning says why.

        Raises:
            StorageFull: The disk refuses to read the file.
        """
        record = await self._whole(snapshot, owner)
        if record.queue_position is None or len(self._connection.shards) == 1:
            return record
        own = self._connection.shard_of(snapshot.id)
        place = {"lane": record.lane, "priority": snapshot.execution_priority, "queued_at": snapshot.queued_at}
        others = (shard for shard in self._connection.shards if shard != own)
        ahead = await asyncio.gather(*(self._connection.script("ahead", shard, **place, ties=shard < own) for shard in others))
        return record.model_copy(update={"queue_position": record.queue_position + sum(ahead)})

    async def _whole(self, snapshot: JobSnapshot, owner: str) -> JobRecord:
        """Return the record of a job with its outcome, which may be in a file."""
        if (name := snapshot.outcome_file) is None:
            return snapshot.record(owner)
        content = await self._account.read(name)
        if content is None:  # the results may have expired since the snapshot was read
            newer = await self.snapshot(snapshot.id, owner)
            if newer is not None and newer.outcome_file != name:
                return newer.record(owner)
            return snapshot.record(
                owner, lost_outcome(f"The file {name} with the results of this job is missing or damaged. {SHARED_FILES}")
            )
        if len(content) <= _QUICK_BYTES:
            return snapshot.record(owner, content.decode())
        return await asyncio.to_thread(snapshot.record, owner, content.decode())

    async def _snapshots_in(self, shard: int, job_ids: Sequence[str], owner: str) -> list[JobSnapshot]:
        replies = await self._connection.script("read", shard, job_ids=job_ids, owner_key=owner_key(owner))
        return [JobSnapshot(reply) for reply in replies]
