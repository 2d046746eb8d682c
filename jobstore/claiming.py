"""What a worker does: claim, renew, tell, finish, give back."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from jobstore.connection import BLOCK
from jobstore.keys import image_sha256, key, shard_of
from jobstore.parsing import artifact_records, execution, string_table
from jobstore.reading import Reading
from jobstore.records import ArtifactRecord, Execution, Result
from schemas.errors import BrokerUnavailable, Expired, NotFound, StorageFull
from schemas.jobs import JobError, Progress
from schemas.methods.card import Lane

STALE_CONSUMER = 10  # leases without a sign of life after which a consumer that holds nothing is removed


class Claiming(Reading):
    async def claim(self, worker: str, lane: Lane, count: int, block: float) -> list[Execution]:
        """Up to `count` executions, now `running`, waited for up to `block` seconds.

        First come those whose lease has run out and those given back, then high priority before normal before low. Executions past
        `max_attempts` end `worker_crashed` here and are not returned. When the call is canceled, what it was about to return is
        given back.
        """
        deadline = time.monotonic() + block
        while True:
            bells, found = await self._claim_now(worker, lane, count)
            remaining = deadline - time.monotonic()
            if found or remaining <= 0:
                return found
            await self._hear(lane, bells, min(remaining, self._settings.lease, BLOCK))

    async def renew(self, worker: str, executions: Sequence[Execution]) -> list[Execution]:
        """Renews leases; returns those that are no longer ours or no longer wanted (canceled)."""
        lost: list[Execution] = []
        for shard in {each.shard for each in executions}:
            ours = [each for each in executions if each.shard == shard]
            held = await self._script("renew", shard, worker=worker, executions=[(each.key, each.claim) for each in ours])
            lost += [each for each, is_held in zip(ours, held, strict=True) if not is_held]
        return lost

    async def progress(self, execution: Execution, step: int, total: int, value: float | None = None, preview: bytes | None = None) -> bool:
        """Publishes progress (preview: PNG); False when the execution is canceled or no longer ours: stop."""
        text = Progress(step=step, total=total, value=value).model_dump_json()
        return await self._write("progress", execution, *([] if preview is None else [preview]), progress=text, step=step)

    async def complete(self, execution: Execution, result: Result) -> bool:
        """Ends an execution with its results; False when it is canceled or no longer ours (nothing is kept then).

        Raises:
            StorageFull: nothing is written; the execution is still ours.
            BrokerUnavailable: it may be written or not; saying it again settles that.
        """
        small = [each for each in result.artifacts if len(each.content) <= self._settings.blob_threshold]
        large = [each for each in result.artifacts if len(each.content) > self._settings.blob_threshold]
        records = tuple(
            ArtifactRecord(
                each.name,
                each.kind,
                each.shape,
                each.dtype,
                hashlib.sha256(each.content).hexdigest(),
                len(each.content),
                each.primary,
                each.media_type,
            )
            for each in result.artifacts
        )
        blobs: dict[str, str] = {}
        try:
            for artifact in large:
                blobs[artifact.name] = await self._blobs.put(artifact.content)
            done, kept = await self._script(
                "complete",
                execution.shard,
                *(each.content for each in small),
                execution=execution.key,
                claim=execution.claim,
                inline=[each.name for each in small],
                blobs=json.dumps(blobs),
                artifacts=artifact_records.dump_json(records).decode(),
                facts=result.facts,
                warnings=json.dumps(result.warnings),
                timings=result.timings.model_dump_json(),
                provenance=result.provenance.model_dump_json(),
            )
        except StorageFull:
            await self._blobs.delete(list(blobs.values()))
            raise
        in_use = string_table.validate_json(kept).values()
        await self._blobs.delete([name for name in blobs.values() if name not in in_use])
        return bool(done)

    async def fail(self, execution: Execution, error: JobError) -> bool:
        """Ends an execution with an error; False when it is canceled or no longer ours."""
        return await self._write("fail", execution, error=error.model_dump_json())

    async def release(self, execution: Execution) -> bool:
        """Gives an execution back to the head of its queue as if never claimed; False when it is canceled or no longer ours."""
        return await self._write("release", execution)

    async def image_content(self, execution: Execution) -> bytes:
        """The file that was submitted.

        Raises:
            NotFound: the execution has no image.
            Expired: it has outlived its image.
        """
        if execution.image_id is None:
            raise NotFound(f"Execution {execution.key} has no image.")
        return await self.image_file(execution.image_id)

    async def image_file(self, image_id: str) -> bytes:
        """The file of an image, whoever sent it: whether a job may read it has been seen to where it was submitted.

        Raises:
            Expired: it is gone.
        """
        digest = image_sha256(image_id)
        name = key(shard_of(digest, self._settings.shards), "image", digest)
        content, blob = await self._connection.command("HMGET", name, "content", "blob")
        if content is None and blob is not None:
            content = await self._blobs.get(blob.decode())
        if content is None:
            raise Expired("The image has expired.")
        return content

    async def sweep(self) -> int:
        """Deletes blobs past their life, returns how many; removes the consumers of workers that are gone."""
        idle = round(STALE_CONSUMER * self._settings.lease * 1000)
        for shard in range(self._settings.shards):
            await self._script("consumers", shard, idle=idle)
        return await self._blobs.sweep()

    async def _write(self, script: str, execution: Execution, *payload: bytes, **arguments: Any) -> bool:
        return bool(await self._script(script, execution.shard, *payload, execution=execution.key, claim=execution.claim, **arguments))

    async def _claim_now(self, worker: str, lane: Lane, count: int) -> tuple[Mapping[int, str], list[Execution]]:
        """What can be claimed now, and the last ring of each shard's bell before that."""
        bells: dict[int, str] = {}
        found: list[Execution] = []
        shards = self._settings.shards
        first = time.monotonic_ns() % shards
        for shard in (*range(first, shards), *range(first)):
            if len(found) == count:
                break
            asked = asyncio.ensure_future(self._claim_from(shard, worker, lane, count - len(found)))
            try:
                bells[shard], claimed = await asyncio.shield(asked)
            except asyncio.CancelledError:
                with suppress(BrokerUnavailable, StorageFull):  # then they are taken over when their lease runs out
                    for each in [*found, *(await asked)[1]]:
                        await self.release(each)
                raise
            found += claimed
        return bells, found

    async def _claim_from(self, shard: int, worker: str, lane: Lane, count: int) -> tuple[str, list[Execution]]:
        lease, attempts = round(self._settings.lease * 1000), self._settings.max_attempts
        bell, *claimed = await self._script("claim", shard, worker=worker, lane=lane, count=count, lease=lease, max_attempts=attempts)
        return bell.decode(), [execution(reply, shard, lane) for reply in claimed]

    async def _hear(self, lane: Lane, bells: Mapping[int, str], seconds: float) -> None:
        """Returns when one of the bells rings again, or after `seconds`."""
        reads = [
            asyncio.ensure_future(self._connection.read_stream(key(shard, "bell", lane), last, seconds)) for shard, last in bells.items()
        ]
        try:
            done, _ = await asyncio.wait(reads, return_when=asyncio.FIRST_COMPLETED)
            for read in done:
                read.result()
        finally:
            for read in reads:
                read.cancel()
            await asyncio.gather(*reads, return_exceptions=True)
