"""What a caller reads: jobs, their events, their artifacts, the queue."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import cast

from jobstore.base import StoreBase
from jobstore.connection import BLOCK, Entry
from jobstore.keys import key, owner_key
from jobstore.parsing import View
from jobstore.records import Event, EventType, JobRecord, LaneDepth, QueueDepth
from schemas.errors import Expired, NotFound
from schemas.jobs import JobState

SCANNED = 100  # jobs read at a time when a list is filtered
MAX_SCANS = 50  # after which a page is answered as it is


class Reading(StoreBase):
    async def job(self, job_id: str, owner: str) -> JobRecord | None:
        """The job; None where it is not there, or another owner's."""
        view = await self._view(job_id, owner)
        return None if view is None else await self._record(view, owner)

    async def jobs(
        self,
        owner: str,
        *,
        state: JobState | None = None,
        method: str | None = None,
        model: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> tuple[list[JobRecord], str | None]:
        """The owner's jobs, newest first, and the cursor of the next page, None after the last.

        A page may be short, and still have a next one, where a filter lets few of very many jobs through.
        """
        found: list[JobRecord] = []
        for _ in range(MAX_SCANS):
            ids = await self._job_ids(owner, cursor, SCANNED)
            for view in await self._views_of(ids, owner):
                if state in (None, view.state) and method in (None, view.job["method"]) and model in (None, view.job["model"]):
                    if len(found) == limit:
                        return found, found[-1].id
                    found.append(await self._record(view, owner))
            if len(ids) < SCANNED:
                return found, None
            cursor = ids[-1]
        return found, cursor

    async def wait(self, job_id: str, owner: str, seconds: float) -> JobRecord | None:
        """The job, as soon as it has ended, or as it is after `seconds`; None where it is not there."""
        deadline = time.monotonic() + seconds
        view = await self._view(job_id, owner)
        while view is not None and not view.state.ended:
            last = f"{view.sequence}-0"
            while (remaining := deadline - time.monotonic()) > 0:
                entries = await self._connection.read_stream(self._events_key(job_id), last, remaining)
                if not entries or _type(entries[-1]) == "done":
                    break
                last = entries[-1][0].decode()
            else:
                break
            view = await self._view(job_id, owner)
        return None if view is None else await self._record(view, owner)

    async def events(self, job_id: str, owner: str, after: int = 0) -> AsyncIterator[Event | None]:
        """The job's events after sequence `after`, as they come, up to `done`; None about every five seconds without one, so that a
        ping can be sent. A preview that a newer one has replaced is left out.

        Raises:
            NotFound: at the first step.
        """
        view = await self._view(job_id, owner)
        if view is None:
            raise NotFound(f"There is no job {job_id}.")
        after = min(after, view.sequence)
        while True:
            seconds = 0 if view.state.ended else BLOCK
            entries = await self._connection.read_stream(self._events_key(job_id), f"{after}-0", seconds)
            preview = max((index for index, entry in enumerate(entries) if _type(entry) == "preview"), default=None)
            for index, entry in enumerate(entries):
                after = int(entry[0].split(b"-")[0])
                if _type(entry) != "preview":
                    yield Event(after, _type(entry), entry[1][b"data"].decode())
                elif index == preview and (data := await self._preview(view, entry)) is not None:
                    yield Event(after, "preview", data)
                if _type(entry) == "done":
                    return
            if entries:
                continue
            if view.state.ended:
                if view.is_abandoned:  # nobody was there to say so
                    yield Event(after + 1, "done", json.dumps({"state": view.state.value}))
                return
            view = await self._view(job_id, owner)
            if view is None:
                return
            if not view.state.ended:
                yield None

    async def artifact_content(self, job_id: str, owner: str, name: str) -> bytes:
        """An artifact's bytes: PNG for an image, npy for an array.

        Raises:
            Expired: the job is known, its results are gone.
            NotFound: no such job, or it has no such artifact (yet).
        """
        view = await self._view(job_id, owner)
        if view is None:
            raise NotFound(f"There is no job {job_id}.")
        if view.state is JobState.EXPIRED:
            raise Expired(f"The results of job {job_id} have expired.")
        record = view.record(owner)
        names = [artifact.name for artifact in record.artifacts]
        if name not in names:
            what = f"has no artifact '{name}'; it has: {', '.join(names)}" if names else f"is {record.state.value} and has no artifacts"
            raise NotFound(f"Job {job_id} {what}.", got=name, nearest=names[:10])
        shard = self._shard(job_id)
        content = await self._connection.command("HGET", key(shard, "artifacts", view.execution_id), name)
        if content is None and (blob := view.blobs.get(name)) is not None:
            content = await self._blobs.get(blob)
        if content is None:
            raise Expired(f"The results of job {job_id} have expired.")
        return content

    async def queue_depth(self) -> QueueDepth:
        """Of each lane, over all shards."""
        shards = await asyncio.gather(*(self._script("depth", shard) for shard in range(self._settings.shards)))
        fast, slow = (
            LaneDepth(sum(depth[0] for depth in lane), sum(depth[1] for depth in lane), max(depth[2] for depth in lane) / 1000)
            for lane in zip(*shards, strict=True)
        )
        return QueueDepth({"fast": fast, "slow": slow})

    async def _record(self, view: View, owner: str) -> JobRecord:
        """The record of a job, its queue position counted over all shards."""
        record = view.record(owner)
        if record.queue_position is None or self._settings.shards == 1:
            return record
        own, place = self._shard(view.id), {"lane": record.lane, "priority": view.execution["priority"], "queued": view.execution["queued"]}
        others = (shard for shard in range(self._settings.shards) if shard != own)
        ahead = await asyncio.gather(*(self._script("ahead", shard, **place, ties=shard < own) for shard in others))
        return replace(record, queue_position=record.queue_position + sum(ahead))

    async def _job_ids(self, owner: str, before: str | None, count: int) -> list[str]:
        """The owner's `count` newest jobs older than `before`, newest first."""
        newest = "+" if before is None else f"({before}"
        names = (key(shard, "jobs", owner_key(owner)) for shard in range(self._settings.shards))
        ids = await asyncio.gather(
            *(self._connection.command("ZRANGE", name, newest, "-", "BYLEX", "REV", "LIMIT", 0, count) for name in names)
        )
        return sorted((job_id.decode() for shard in ids for job_id in shard), reverse=True)[:count]

    async def _views_of(self, job_ids: list[str], owner: str) -> list[View]:
        """Views of those that are there, in the order given."""
        shards: dict[int, list[str]] = {}
        for job_id in job_ids:
            shards.setdefault(self._shard(job_id), []).append(job_id)
        found = await asyncio.gather(*(self._views(ids, owner, shard) for shard, ids in shards.items()))
        by_id = {view.id: view for views in found for view in views}
        return [by_id[job_id] for job_id in job_ids if job_id in by_id]

    async def _preview(self, view: View, entry: Entry) -> str | None:
        """Data of a preview event; None once a newer preview has taken its place."""
        name = key(self._shard(view.id), "preview", view.execution_id)
        step, image = await self._connection.command("HMGET", name, "step", "image")
        announced = json.loads(entry[1][b"data"])["step"]
        if step is None or int(step) != announced:
            return None
        return json.dumps({"step": announced, "image": f"data:image/png;base64,{base64.b64encode(image).decode()}"})

    def _events_key(self, job_id: str) -> str:
        return key(self._shard(job_id), "events", job_id)


def _type(entry: Entry) -> EventType:
    return cast("EventType", entry[1][b"type"].decode())
