"""What a caller does to jobs: upload, submit, cancel, delete."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from jobstore.keys import execution_key, image_sha256, key, new_job_id, oldest_job_id, owner_key, shard_of
from jobstore.parsing import View, moment
from jobstore.reading import Reading
from jobstore.records import ImageRecord, JobRecord, Submission, Submitted
from schemas.errors import CallerLimit, IdempotencyKeyReused, NotFound, QueueFull, StateConflict, StorageFull
from schemas.jobs import JobState

INTERNAL_OWNER = "internal:models"  # no caller's name holds a colon


class Submitting(Reading):
    async def put_image(self, owner: str, content: bytes, format: str, width: int, height: int) -> ImageRecord:  # noqa: A002 - the agreed name
        """Keeps an uploaded image for `result_ttl`; one that was uploaded before is not stored twice."""
        digest = hashlib.sha256(content).hexdigest()
        record: dict[str, Any] = {"id": f"img_{digest}", "format": format, "width": width, "height": height, "size": len(content)}
        shard = shard_of(digest, self._settings.shards)
        arguments = {"image": digest, "owner_key": owner_key(owner), "record": json.dumps(record)}
        reply = await self._with_image("upload", shard, content, arguments)
        await self._blobs.keep([name.decode() for name in reply[2]])
        return ImageRecord(**record, expires_at=moment(reply[1]))

    async def image(self, owner: str, image_id: str) -> ImageRecord | None:
        """An image this owner has uploaded; None where it is not there, or only another's."""
        digest = image_sha256(image_id)
        name = key(shard_of(digest, self._settings.shards), "upload", f"{digest}:{owner_key(owner)}")
        text, expiry = await asyncio.gather(self._connection.command("GET", name), self._connection.command("PEXPIRETIME", name))
        return ImageRecord(**json.loads(text), expires_at=moment(expiry)) if text and expiry > 0 else None

    async def keep_images(self, owner: str, image_ids: Sequence[str]) -> list[ImageRecord | None]:
        """Lets uploaded images live for `result_ttl` from now, for a job that is about to be submitted and reads them.

        None where one is not there, or only another owner's.
        """
        shards: dict[int, list[str]] = {}
        for digest in map(image_sha256, image_ids):
            shards.setdefault(shard_of(digest, self._settings.shards), []).append(digest)
        replies = await asyncio.gather(
            *(self._script("keep_images", shard, images=digests, owner_key=owner_key(owner)) for shard, digests in shards.items())
        )
        found: dict[str, ImageRecord] = {}
        for digests, (expiry, texts, blobs) in zip(shards.values(), replies, strict=True):
            await self._blobs.keep([name.decode() for name in blobs])
            records = {digest: json.loads(text) for digest, text in zip(digests, texts, strict=True) if text is not None}
            found |= {digest: ImageRecord(**record, expires_at=moment(expiry)) for digest, record in records.items()}
        return [found.get(image_sha256(image_id)) for image_id in image_ids]

    async def submit(self, submission: Submission) -> Submitted:
        """Queues a job, or lets it join the execution that is queued or running for the same work, or answers it from one that has
        succeeded (unless `fresh`). A queued execution moves up when a job of higher priority joins it.

        Raises:
            QueueFull, CallerLimit: nothing is stored, the image neither.
            NotFound: no image `image_id` of this owner.
            IdempotencyKeyReused, StorageFull
        """
        shard, work, digest = self._place(submission)
        job_id = new_job_id(shard, self._settings.shards)
        if submission.idempotency_key is None:
            return await self._submit(submission, job_id, work, digest)
        reservation = f"{owner_key(submission.owner)}:{hashlib.sha256(submission.idempotency_key.encode()).hexdigest()}"
        shard = shard_of(reservation, self._settings.shards)
        name = key(shard, "idempotency", reservation)
        value = f"{submission.body_digest} {job_id} reserved"
        earlier = await self._script("reserve", shard, reservation=reservation, value=value)
        if earlier is not None:
            earlier_digest, job_id, state = earlier.decode().split(" ")
            if earlier_digest != submission.body_digest:
                raise IdempotencyKeyReused("This Idempotency-Key was used with another request; take a new one.")
            value = f"{submission.body_digest} {job_id} reserved"
            if state == "made":
                record = await self.job(job_id, submission.owner)
                if record is None:
                    raise NotFound(f"The job {job_id} that this Idempotency-Key made has been deleted.")
                return Submitted(record, created=False)
        try:
            submitted = await self._submit(submission, job_id, work, digest)
        except (QueueFull, CallerLimit, NotFound):
            await self._script("unreserve", shard, reservation=reservation, value=value)
            raise
        await self._connection.command("SET", name, f"{submission.body_digest} {job_id} made", "EX", self._settings.result_ttl)
        return submitted

    async def cancel(self, job_id: str, owner: str) -> JobRecord:
        """Cancels a job that has not ended, and its execution with it unless another job wants that; the job after it.

        One already canceled is answered as it is.

        Raises:
            NotFound
            StateConflict: it has ended otherwise.
        """
        view = await self._view(job_id, owner)
        reply = view and await self._script("cancel", self._shard(job_id), job=job_id, owner_key=owner_key(owner))
        if not reply:
            raise NotFound(f"There is no job {job_id}.")
        before = JobState(reply[0].decode())
        if before.ended and before is not JobState.CANCELED:
            raise StateConflict(f"Job {job_id} has {before.value} and cannot be canceled.", got=before.value, allowed="queued, running")
        return View(reply[1]).record(owner)

    async def delete(self, job_id: str, owner: str) -> bool:
        """Forgets a job (canceling it first) and, unless another job stands for them, its artifacts; False where it is not there."""
        if await self._view(job_id, owner) is None:
            return False
        deleted, blobs = await self._script("delete", self._shard(job_id), job=job_id, owner_key=owner_key(owner))
        await self._blobs.delete([name.decode() for name in blobs])
        return bool(deleted)

    def _place(self, submission: Submission) -> tuple[int, str, str | None]:
        """(shard, execution key, sha256 of the image)."""
        if submission.image is not None:
            digest = hashlib.sha256(submission.image).hexdigest()
        else:
            digest = image_sha256(submission.image_id) if submission.image_id else None
        work = execution_key(submission.fingerprint, submission.model, submission.method, submission.params, digest)
        return shard_of(digest or work, self._settings.shards), work, digest

    async def _submit(self, submission: Submission, job_id: str, work: str, digest: str | None) -> Submitted:
        settings, shard = self._settings, self._shard(job_id)
        queued_elsewhere, active_elsewhere = await self._elsewhere(shard, submission.owner)
        reply = await self._with_image(
            "submit",
            shard,
            submission.image,
            {
                "job": job_id,
                "owner_key": owner_key(submission.owner),
                "request_id": submission.request_id,
                "execution_key": work,
                "method": submission.method,
                "model": submission.model,
                "lane": submission.lane,
                "priority": submission.priority,
                "params": submission.params,
                "fresh": submission.fresh,
                "image": digest,
                "uploaded": submission.image is None and digest is not None,
                "unlimited": submission.owner == INTERNAL_OWNER,
                "oldest": oldest_job_id(2 * settings.result_ttl),
                "max_queued": settings.max_queued,
                "max_active": settings.max_queued_per_caller,
                "queued_elsewhere": queued_elsewhere,
                "active_elsewhere": active_elsewhere,
            },
        )
        outcome = reply[0].decode()
        if outcome == "queue_full":
            raise QueueFull(f"{reply[1]} jobs are queued; at most {settings.max_queued} may be. Try again later.", retry_after=5)
        if outcome == "caller_limit":
            raise CallerLimit(
                f"{reply[1]} of your jobs are queued or running; at most {settings.max_queued_per_caller} may be.",
                allowed=str(settings.max_queued_per_caller),
                got=str(reply[1]),
                retry_after=5,
            )
        if outcome == "no_image":
            raise NotFound(f"There is no image {submission.image_id}; upload it with POST /v1/images.", pointer="/image/id")
        await self._blobs.keep([name.decode() for name in reply[2]])
        view = View(reply[3])
        return Submitted(await self._record(view, submission.owner), created=outcome == "created")

    async def _elsewhere(self, shard: int, owner: str) -> tuple[int, int]:
        """(queued in all, queued or running of this owner) in the other shards. Read just before, so a limit may be overstepped by what
        is submitted to several shards at the same instant."""
        others = [other for other in range(self._settings.shards) if other != shard]
        depths = await asyncio.gather(*(self._script("depth", other) for other in others))
        active = await asyncio.gather(*(self._connection.command("ZCARD", key(other, "active", owner_key(owner))) for other in others))
        return sum(lane[0] for depth in depths for lane in depth), sum(active)

    async def _with_image(self, script: str, shard: int, image: bytes | None, arguments: dict[str, Any]) -> list[Any]:
        """Runs a script that stores `image` if it is wanted and not there. A large one is written only once the script has asked for it,
        so that a refusal costs nothing, and deleted again where it was refused or another copy was faster. Where the answer is lost it may
        be in use: then it stays until it is swept."""
        if image is None or len(image) <= self._settings.blob_threshold:
            return await self._script(script, shard, *([] if image is None else [image]), **arguments, image_field="content")
        reply = await self._script(script, shard, **arguments)
        if reply[0] != b"send_image":
            return reply
        blob = await self._blobs.put(image)
        try:
            reply = await self._script(script, shard, blob, **arguments, image_field="blob")
        except StorageFull:
            await self._blobs.delete([blob])
            raise
        if blob.encode() not in reply[2]:
            await self._blobs.delete([blob])
        return reply
