"""Submit a job: check limits, honour idempotency keys, and store the image that comes with it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from jobstore.account import FileAccount
from jobstore.connection import Connection
from jobstore.files import content_digest
from jobstore.images import ImageStore
from jobstore.job_reader import JobReader
from jobstore.keys import execution_key, image_sha256, key, new_job_id, oldest_job_id, owner_key
from jobstore.records import INTERNAL_OWNER, Submission, Submitted
from jobstore.snapshot import JobSnapshot
from schemas.errors import CallerLimit, Expired, IdempotencyKeyReused, NotFound, QueueFull

REMEMBERED = 1000  # photos of the last submissions, of which another job may come
_UNKNOWN_WAIT, _LONGEST_WAIT = 5, 600  # seconds after which a refused caller should come again
REFUSAL_LASTS = 1.0  # a queue that was full is asked before anything is written, for so many seconds


class JobSubmitter:
    """Submits jobs for `Jobs`, whose `submit` says what callers may rely on."""

    def __init__(self, connection: Connection, account: FileAccount, images: ImageStore, reader: JobReader) -> None:
        self._connection = connection
        self._account = account
        self._images = images
        self._reader = reader
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._refused_at = -REFUSAL_LASTS
        settings = connection.settings
        self._short_life = min(settings.one_line_ttl, settings.result_ttl) * 1000

    async def submit(self, submission: Submission) -> Submitted:
        """Accept a job. If it has an idempotency key that was used before, return the job that the key made."""
        image_digest = await _image_digest(submission)
        work = _work_of(submission, image_digest)
        shard = self._connection.shard_of(image_digest or work)
        job_id = new_job_id(shard, len(self._connection.shards))
        if submission.place is not None:
            job_id = await submission.place.assign(job_id)
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
        queued_elsewhere, active_elsewhere = await self._count_elsewhere(shard, submission.caller)
        arguments: dict[str, Any] = {
            "job_id": job_id,
            "owner_key": owner_key(submission.owner),
            "caller": owner_key(submission.caller) if submission.caller is not None and submission.place is None else None,
            "request_id": submission.request_id,
            "execution_key": work,
            "method": submission.method,
            "model": submission.model,
            "model_digest": submission.model_digest,
            "lane": submission.lane,
            "priority": submission.priority,
            "fresh": submission.fresh,
            "job_ttl": self._short_life if submission.short_lived else None,
            "image": image_digest,
            "images": list(dict.fromkeys(([image_digest] if image_digest else []) + [*map(image_sha256, _files_besides(submission))])),
            "inputs": json.dumps(dict(submission.inputs), sort_keys=True) if submission.inputs else None,
            "further_models": json.dumps(dict(submission.further_models)) if submission.further_models else None,
            "traceparent": submission.traceparent or None,
            "uploaded": submission.image is None and image_digest is not None and submission.place is None,
            "item": submission.place and submission.place.item,
            "unlimited": submission.owner == INTERNAL_OWNER,
            "oldest": oldest_job_id(2 * settings.result_ttl),
            "max_queued": settings.max_queued if submission.place is None else max(1, settings.max_queued // 2),
            "max_active": settings.max_queued_per_caller,
            "max_records": max(1, settings.max_records_per_owner // settings.shards),
            "queued_elsewhere": queued_elsewhere,
            "active_elsewhere": active_elsewhere,
        }
        outcome, snapshot = await self._run(submission, shard, image_digest, arguments)
        record = await self._reader.record(JobSnapshot(snapshot), submission.owner)
        return Submitted(record, created=outcome == "created")

    async def _run(
        self, submission: Submission, shard: int, image_digest: str | None, arguments: Mapping[str, Any]
    ) -> tuple[str, Sequence[Any]]:
        """Run the script and return its outcome and snapshot. A photo that will probably be needed is written first.

        Otherwise the script is asked first: if the same photo came a moment ago, an earlier result may answer, and if the queue was full a
        moment ago, it may still be. Nothing is written for nothing then.
        """
        size = len(submission.image or b"") + sum(map(len, submission.input_files.values()))
        if not arguments["unlimited"] and await self._account.full_disk(size):
            # A job that joins another one, or has its result at once, needs no room.
            outcome, detail, snapshot = await self._account.run("submit", shard, {}, submission.params, **arguments, disk_full=True)
            if outcome != "disk_full":
                self._raise_refusal(outcome, detail, submission)
                return outcome, snapshot[0]
            await self._account.make_disk_free(size)
        # The image of an item is there already, because the batch holds it.
        is_new = image_digest is not None and image_digest not in self._recent and submission.place is None
        contents: dict[str, bytes] = {}
        if submission.image is not None and image_digest is not None:
            self._remember(image_digest)
            if is_new and time.monotonic() - self._refused_at > REFUSAL_LASTS:
                contents = {image_digest: submission.image}
                contents |= {image_sha256(file_id): content for file_id, content in submission.input_files.items()}
        outcome, detail, snapshot = await self._account.run("submit", shard, contents, submission.params, **arguments)
        if outcome == "send_images":
            # The files of the first call were not used and are deleted, so they are written again.
            wanted = dict.fromkeys([*contents, *map(bytes.decode, detail)])
            contents = {digest: await self._content(submission, image_digest, digest) for digest in wanted}
            outcome, detail, snapshot = await self._account.run("submit", shard, contents, submission.params, **arguments)
        self._raise_refusal(outcome, detail, submission)
        return outcome, snapshot[0]

    async def _content(self, submission: Submission, image_digest: str | None, digest: str) -> bytes:
        if submission.image is not None and digest == image_digest:
            return submission.image
        if (file := submission.input_files.get(f"img_{digest}")) is not None:
            return file
        try:
            return await self._images.file(digest)
        except Expired as error:
            raise NotFound(f"The image img_{digest} has expired. Please upload it again with POST /v1/images.") from error

    def _remember(self, digest: str) -> None:
        self._recent[digest] = None
        self._recent.move_to_end(digest)
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)

    def _raise_refusal(self, outcome: str, detail: Any, submission: Submission) -> None:
        settings, count, retry_after = self._connection.settings, 0, None
        if outcome in ("queue_full", "caller_limit"):
            if submission.place is None:
                self._refused_at = time.monotonic()
            count, interval = detail
            most = settings.max_queued if outcome == "queue_full" else settings.max_queued_per_caller
            retry_after = _seconds_until(count - most + 1, interval / len(self._connection.shards))
        if outcome == "queue_full":
            raise QueueFull(f"{count} jobs are queued, and at most {settings.max_queued} may be. Try again later.", retry_after=retry_after)
        if outcome == "caller_limit":
            raise CallerLimit(
                f"{count} of your jobs are queued or running, and at most {settings.max_queued_per_caller} may be.",
                allowed=str(settings.max_queued_per_caller),
                got=str(count),
                retry_after=retry_after,
            )
        if outcome == "no_image":
            raise NotFound(f"There is no image {submission.image_id}. Please upload it with POST /v1/images.", pointer="/image/id")

    async def _count_elsewhere(self, shard: int, caller: str | None) -> tuple[int, int]:
        """Return how many executions are queued in the other shards, and how many jobs of the caller are queued or running there.

        The counts are read just before the script runs, so jobs submitted to several shards at the same instant may exceed a limit.
        """
        others = [other for other in self._connection.shards if other != shard]
        depths = await asyncio.gather(*(self._connection.script("depth", other) for other in others))
        mine = [] if caller is None else [key(other, "active", owner_key(caller)) for other in others]
        active = await asyncio.gather(*(self._connection.command("ZCARD", name) for name in mine))
        return sum(lane[0] for depth in depths for lane in depth), sum(active)


def _seconds_until(ends: int, interval: float) -> int:
    """Return the seconds in which so many jobs end if one ends every `interval` milliseconds, from 1 s to ten minutes.

    The interval is negative if nothing has ended lately. Nothing is known then.
    """
    return _UNKNOWN_WAIT if interval < 0 else min(max(1, math.ceil(ends * interval / 1000)), _LONGEST_WAIT)


async def _image_digest(submission: Submission) -> str | None:
    """Return the sha256 of the image, or None if there is none."""
    if submission.image is not None:
        return await content_digest(submission.image)
    return image_sha256(submission.image_id) if submission.image_id else None


def _work_of(submission: Submission, image_digest: str | None) -> str:
    """Return the key that identical work shares."""
    inputs = [json.dumps(dict(submission.inputs), sort_keys=True)] if submission.inputs else []
    return execution_key(submission.fingerprint, submission.model, submission.method, submission.params, image_digest, *inputs)


def _files_besides(submission: Submission) -> tuple[str, ...]:
    """Return the ids of the files that an execution reads besides the photo."""
    return *submission.image_ids, *submission.inputs.values()
