"""Submit a job: check limits, honour idempotency keys, and store the image that comes with it."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from jobstore.connection import Connection
from jobstore.images import ImageStore
from jobstore.job_reader import JobReader
from jobstore.keys import execution_key, image_sha256, key, new_job_id, oldest_job_id, owner_key
from jobstore.records import INTERNAL_OWNER, Submission, Submitted
from jobstore.snapshot import JobSnapshot
from schemas.errors import CallerLimit, IdempotencyKeyReused, NotFound, QueueFull


class JobSubmitter:
    """Submits jobs for `Jobs`, whose `submit` says what callers may rely on."""

    def __init__(self, connection: Connection, images: ImageStore, reader: JobReader) -> None:
        self._connection = connection
        self._images = images
        self._reader = reader

    async def submit(self, submission: Submission) -> Submitted:
        """Accept a job. If it has an idempotency key that was used before, return the job that the key made."""
        work, image_digest = _work_of(submission)
        shard = self._connection.shard_of(image_digest or work)
        job_id = new_job_id(shard, len(self._connection.shards))
        if submission.idempotency_key is None:
            return await self._submit_once(submission, job_id, work, image_digest)
        return await self._submit_with_key(submission, submission.idempotency_key, job_id, work, image_digest)

    async def _submit_with_key(
        self, submission: Submission, idempotency_key: str, job_id: str, work: str, image_digest: str | None
    ) -> Submitted:
        """Reserve the key for `job_id`, submit, then mark the key as used.

        If the process dies in between, the next request with this key takes over the reservation and its job id, and the script
        `submit` finds out whether the job exists.
        """
        reservation = f"{owner_key(submission.owner)}:{hashlib.sha256(idempotency_key.encode()).hexdigest()}"
        shard = self._connection.shard_of(reservation)
        value = f"{submission.body_digest} {job_id} reserved"
        earlier = await self._connection.script("reserve", shard, reservation=reservation, value=value)
        if earlier is not None:
            earlier_digest, job_id, state = earlier.decode().split(" ")
            if earlier_digest != submission.body_digest:
                raise IdempotencyKeyReused("This Idempotency-Key was used with another request. Use a new key for a new request.")
            value = f"{submission.body_digest} {job_id} reserved"
            if state == "made":
                return await self._made_before(job_id, submission.owner)
        try:
            submitted = await self._submit_once(submission, job_id, work, image_digest)
        except (QueueFull, CallerLimit, NotFound):
            await self._connection.script("unreserve", shard, reservation=reservation, value=value)
            raise
        name, ttl = key(shard, "idempotency", reservation), self._connection.settings.result_ttl
        await self._connection.command("SET", name, f"{submission.body_digest} {job_id} made", "EX", ttl)
        return submitted

    async def _made_before(self, job_id: str, owner: str) -> Submitted:
        snapshot = await self._reader.snapshot(job_id, owner)
        if snapshot is None:
            raise NotFound(f"The job {job_id}, which this Idempotency-Key made, has been deleted.")
        return Submitted(await self._reader.record(snapshot, owner), created=False)

    async def _submit_once(self, submission: Submission, job_id: str, work: str, image_digest: str | None) -> Submitted:
        settings, shard = self._connection.settings, self._connection.shard_of(job_id)
        queued_elsewhere, active_elsewhere = await self._count_elsewhere(shard, submission.owner)
        arguments: dict[str, Any] = {
            "job_id": job_id,
            "owner_key": owner_key(submission.owner),
            "request_id": submission.request_id,
            "execution_key": work,
            "method": submission.method,
            "model": submission.model,
            "model_digest": submission.model_digest,
            "lane": submission.lane,
            "priority": submission.priority,
            "params": submission.params,
            "fresh": submission.fresh,
            "image": image_digest,
            "uploaded": submission.image is None and image_digest is not None,
            "unlimited": submission.owner == INTERNAL_OWNER,
            "oldest": oldest_job_id(2 * settings.result_ttl),
            "max_queued": settings.max_queued,
            "max_active": settings.max_queued_per_caller,
            "queued_elsewhere": queued_elsewhere,
            "active_elsewhere": active_elsewhere,
        }
        outcome, count, files, *snapshot = await self._images.run_with_image("submit", shard, submission.image, arguments)
        self._raise_refusal(outcome.decode(), count, submission)
        await self._images.keep_files(files)
        record = await self._reader.record(JobSnapshot(snapshot[0]), submission.owner)
        return Submitted(record, created=outcome == b"created")

    def _raise_refusal(self, outcome: str, count: int, submission: Submission) -> None:
        settings = self._connection.settings
        if outcome == "queue_full":
            raise QueueFull(f"{count} jobs are queued, and at most {settings.max_queued} may be. Try again later.", retry_after=5)
        if outcome == "caller_limit":
            raise CallerLimit(
                f"{count} of your jobs are queued or running, and at most {settings.max_queued_per_caller} may be.",
                allowed=str(settings.max_queued_per_caller),
                got=str(count),
                retry_after=5,
            )
        if outcome == "no_image":
            raise NotFound(f"There is no image {submission.image_id}. Please upload it with POST /v1/images.", pointer="/image/id")

    async def _count_elsewhere(self, shard: int, owner: str) -> tuple[int, int]:
        """Return how many executions are queued in the other shards, and how many jobs of the owner are queued or running there.

        The counts are read just before the script runs, so jobs submitted to several shards at the same instant may exceed a limit.
        """
        others = [other for other in self._connection.shards if other != shard]
        depths = await asyncio.gather(*(self._connection.script("depth", other) for other in others))
        active = await asyncio.gather(*(self._connection.command("ZCARD", key(other, "active", owner_key(owner))) for other in others))
        return sum(lane[0] for depth in depths for lane in depth), sum(active)


def _work_of(submission: Submission) -> tuple[str, str | None]:
    """Return the key that identical work shares, and the sha256 of the image."""
    if submission.image is not None:
        digest = hashlib.sha256(submission.image).hexdigest()
    else:
        digest = image_sha256(submission.image_id) if submission.image_id else None
    return execution_key(submission.fingerprint, submission.model, submission.method, submission.params, digest), digest
