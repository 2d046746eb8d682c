"""Follow the event stream of a job, and wait for its end."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import cast

from jobstore.connection import LONGEST_BLOCK, Connection, StreamEntry
from jobstore.job_reader import JobReader
from jobstore.keys import key
from jobstore.records import EventType, StoredEvent
from jobstore.snapshot import JobSnapshot
from schemas.errors import NotFound


class JobEvents:
    """Reads the events of jobs. Every method raises `BrokerUnavailable` if Redis does not answer."""

    def __init__(self, connection: Connection, reader: JobReader) -> None:
        self._connection = connection
        self._reader = reader

    async def until_ended(self, job_id: str, owner: str, seconds: float) -> JobSnapshot | None:
        """Return the job as soon as it has ended, or as it is after `seconds`. Return None if there is no such job."""
        deadline = time.monotonic() + seconds
        snapshot = await self._reader.snapshot(job_id, owner)
        while snapshot is not None and not snapshot.state.ended:
            last = f"{snapshot.sequence}-0"
            while (remaining := deadline - time.monotonic()) > 0:
                entries = await self._connection.read_stream(self._stream(job_id), last, remaining)
                if not entries or _type(entries[-1]) == "done":
                    break
                last = entries[-1][0].decode()
            else:
                break
            snapshot = await self._reader.snapshot(job_id, owner)
        return snapshot

    async def follow(self, job_id: str, owner: str, after: int) -> AsyncIterator[StoredEvent | None]:
        """Yield the job's events after sequence number `after`, up to `done`. See `Jobs.events`."""
        snapshot = await self._reader.snapshot(job_id, owner)
        if snapshot is None:
            raise NotFound(f"There is no job {job_id}.")
        after = min(after, snapshot.sequence)
        while True:
            entries = await self._connection.read_stream(self._stream(job_id), f"{after}-0", 0 if snapshot.state.ended else LONGEST_BLOCK)
            async for event in self._events(snapshot, entries):
                yield event
                if event.type == "done":
                    return
            if entries:
                after = _sequence(entries[-1])
                continue
            if snapshot.state.ended:
                if snapshot.is_abandoned:  # nobody was there to write the event
                    yield StoredEvent(after + 1, "done", json.dumps({"state": snapshot.state.value}))
                return
            snapshot = await self._reader.snapshot(job_id, owner)
            if snapshot is None:
                return
            if not snapshot.state.ended:
                yield None

    async def _events(self, snapshot: JobSnapshot, entries: list[StreamEntry]) -> AsyncIterator[StoredEvent]:
        """Yield the events of stream entries. Of several previews only the newest is left, because Redis keeps no other."""
        newest_preview = max((index for index, entry in enumerate(entries) if _type(entry) == "preview"), default=None)
        for index, entry in enumerate(entries):
            if _type(entry) != "preview":
                yield StoredEvent(_sequence(entry), _type(entry), entry[1][b"data"].decode())
            elif index == newest_preview and (text := await self._preview(snapshot, entry)) is not None:
                yield StoredEvent(_sequence(entry), "preview", text)

    async def _preview(self, snapshot: JobSnapshot, entry: StreamEntry) -> str | None:
        """Return the JSON text of a preview event, or None if a newer preview has replaced it."""
        name = key(self._connection.shard_of(snapshot.id), "preview", snapshot.execution_id)
        step, image = await self._connection.command("HMGET", name, "step", "image")
        announced = json.loads(entry[1][b"data"])["step"]
        if step is None or int(step) != announced:
            return None
        return json.dumps({"step": announced, "image": f"data:image/png;base64,{base64.b64encode(image).decode()}"})

    def _stream(self, job_id: str) -> str:
        return key(self._connection.shard_of(job_id), "events", job_id)


def _type(entry: StreamEntry) -> EventType:
    return cast("EventType", entry[1][b"type"].decode())


def _sequence(entry: StreamEntry) -> int:
    return int(entry[0].split(b"-")[0])
