"""Submit, read, list, follow, cancel and delete jobs, for callers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from jobstore.account import FileAccount
from jobstore.connection import Connection
from jobstore.images import ImageStore
from jobstore.job_events import JobEvents
from jobstore.job_reader import JobReader
from jobstore.keys import owner_key
from jobstore.listener import JobListener
from jobstore.records import JobRecord, StoredEvent, Submission, Submitted
from jobstore.snapshot import JobSnapshot
from jobstore.submit import JobSubmitter
from schemas.errors import NotFound, StateConflict
from schemas.jobs import JobState

SCANNED = 100  # jobs read at a time while a list is filtered
MAX_SCANS = 50  # after so many scans a page is answered even if it is not full


class Jobs:
    """The jobs as their callers see them: submit, read, list, follow, cancel and delete. An owner never sees another owner's job.

    Every method raises `BrokerUnavailable` if Redis does not answer. A method that returns jobs raises `StorageFull` if the disk, or the
    server that has the files, refuses to read a long outcome.
    """

    def __init__(self, connection: Connection, account: FileAccount, images: ImageStore, reader: JobReader, listener: JobListener) -> None:
        self._connection = connection
        self._account = account
        self._reader = reader
        self._events = JobEvents(connection, reader, listener)
        self._submitter = JobSubmitter(connection, account, images, reader)

    async def submit(self, submission: Submission) -> Submitted:
        """Accept a job.

        The job joins the execution that is queued or running for the same work, or takes the result of one that has succeeded (unless
        `fresh`), or queues a new execution. A queued execution moves forward if a job of higher priority joins it.

        Raises:
            QueueFull: Too many executions are queued. Nothing is stored, and neither is the image.
            CallerLimit: The owner has too many jobs queued or running. Nothing is stored, and neither is the image.
            NotFound: The owner has uploaded no image `image_id`.
            IdempotencyKeyReused: The key was used with another request.
            StorageFull: There is no room for the job or its image.
        """
        return await self._submitter.submit(submission)

    async def read(self, job_id: str, owner: str) -> JobRecord | None:
        """Return the job, or None if there is no such job or it belongs to another owner."""
        return await self._record(await self._reader.snapshot(job_id, owner), owner)

    async def read_many(self, job_ids: Sequence[str], owner: str) -> dict[str, JobRecord]:
        """Return the jobs that exist and belong to the owner, by id."""
        snapshots = await self._reader.snapshots(job_ids, owner)
        return dict(zip((snapshot.id for snapshot in snapshots), await self._records(snapshots, owner), strict=True))

    async def page(
        self,
        owner: str,
        *,
        state: JobState | None = None,
        method: str | None = None,
        model: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> tuple[list[JobRecord], str | None]:
        """Return one page of the owner's jobs, newest first, and the cursor of the next page (None after the last page).

        A page may be short and still have a next one if a filter matches few of very many jobs.
        """
        found: list[JobSnapshot] = []
        for _ in range(MAX_SCANS):
            ids = await self._reader.newest_ids(owner, cursor, SCANNED)
            for snapshot in await self._reader.snapshots(ids, owner):
                if state in (None, snapshot.state) and method in (None, snapshot.method) and model in (None, snapshot.model):
                    if len(found) == limit:
                        return await self._records(found, owner), found[-1].id
                    found.append(snapshot)
            if len(ids) < SCANNED:
                return await self._records(found, owner), None
            cursor = ids[-1]
        return await self._records(found, owner), cursor

    async def wait(self, job_id: str, owner: str, seconds: float, *, was_unfinished: bool = False) -> JobRecord | None:
        """Return the job as soon as it has ended, or as it is after `seconds`. Return None if there is no such job.

        If Redis goes away and comes back meanwhile, the wait goes on. A caller that has just read or submitted the job, and knows that it
        had not ended then, says `was_unfinished`, so that the job is not read again at once.

        Raises:
            BrokerUnavailable: Redis does not answer when the wait begins or when its time is up.
        """
        return await self._record(await self._events.until_ended(job_id, owner, seconds, was_unfinished=was_unfinished), owner)

    def events(self, job_id: str, owner: str, after: int = 0) -> AsyncGenerator[StoredEvent | None]:
        """Yield the job's events after sequence number `after` as they come, up to `done`.

        Yield None about every 15 seconds without an event. A preview that a newer preview has replaced is left out. If Redis goes away
        and comes back meanwhile, the events go on.

        Raises:
            NotFound: There is no such job. This is raised at the first step.
            BrokerUnavailable: Redis does not answer. This is raised at the first step.
        """
        return self._events.follow(job_id, owner, after)

    async def has_told_all(self, job_id: str, owner: str, after: int) -> bool:
        """Tell whether the job has ended and no event comes after sequence number `after`."""
        snapshot = await self._reader.snapshot(job_id, owner)
        return snapshot is not None and snapshot.state.ended and after >= snapshot.sequence + snapshot.is_abandoned

    async def cancel(self, job_id: str, owner: str) -> JobRecord:
        """Cancel a job that has not ended and return it. Its execution ends too, unless another job waits for that execution.

        A job that is already canceled is returned unchanged.

        Raises:
            NotFound: There is no such job.
            StateConflict: The job has already succeeded, failed or expired.
        """
        snapshot = await self._reader.snapshot(job_id, owner)
        reply = snapshot and await self._connection.script(
            "cancel", self._connection.shard_of(job_id), job_id=job_id, owner_key=owner_key(owner)
        )
        if not reply:
            raise NotFound(f"There is no job {job_id}.")
        before = JobState(reply[0].decode())
        if before.ended and before is not JobState.CANCELED:
            raise StateConflict(
                f"Job {job_id} has {before.value}. Only a queued or running job can be canceled.",
                got=before.value,
                allowed="queued, running",
            )
        return JobSnapshot(reply[1]).record(owner)

    async def delete(self, job_id: str, owner: str) -> bool:
        """Delete a job, after canceling it if it has not ended. Return False if there is no such job.

        Its artifacts are deleted too, unless another job has the same result.

        Raises:
            StorageFull: The disk refuses to delete an artifact.
        """
        if await self._reader.snapshot(job_id, owner) is None:
            return False
        shard = self._connection.shard_of(job_id)
        deleted = await self._connection.script("delete", shard, job_id=job_id, owner_key=owner_key(owner))
        await self._account.collect(shard)
        return bool(deleted)

    async def _records(self, snapshots: Sequence[JobSnapshot], owner: str) -> list[JobRecord]:
        """Return the records of jobs. Their long outcomes are read side by side."""
        return await asyncio.gather(*(self._reader.record(snapshot, owner) for snapshot in snapshots))

    async def _record(self, snapshot: JobSnapshot | None, owner: str) -> JobRecord | None:
        return None if snapshot is None else await self._reader.record(snapshot, owner)
