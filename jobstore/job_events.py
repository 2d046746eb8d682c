"""Follow the event stream of a job, and wait for its end."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import cast

from jobstore.connection import Connection
from jobstore.job_reader import JobReader
from jobstore.keys import key
from jobstore.listener import JobListener
from jobstore.records import EventType, StoredEvent
from jobstore.snapshot import JobSnapshot
from schemas.errors import BrokerUnavailable, NotFound

CHECK_EVERY = 15.0  # a job without events is read again after about this many seconds, because nobody announces that it expires
RETRY_PAUSE = 0.5  # a read that failed is repeated after this many seconds
_READ_TOGETHER = 100  # events of one job that are read at a time


class JobEvents:
    """Reads the events of jobs. A wait that has begun survives a Redis that goes away and comes back."""

    def __init__(self, connection: Connection, reader: JobReader, listener: JobListener) -> None:
        self._connection = connection
        self._reader = reader
        self._listener = listener

    async def until_ended(self, job_id: str, owner: str, seconds: float, *, was_unfinished: bool) -> JobSnapshot | None:
        """Return the job as soon as it has ended, or as it is after `seconds`. See `Jobs.wait`."""
        deadline = time.monotonic() + seconds
        with self._listener.watch(job_id, only_end=True) as watch:
            snapshot = None
            if seconds <= 0 or not was_unfinished:
                snapshot = await self._reader.snapshot(job_id, owner)
                if snapshot is None:
                    return None
            pause = _next_check()
            while not (snapshot and snapshot.state.ended) and (remaining := deadline - time.monotonic()) > 0:
                await watch.woken(min(remaining, pause))
                try:
                    snapshot, pause = await self._reader.snapshot(job_id, owner), _next_check()
                    if snapshot is None:
                        return None
                except BrokerUnavailable:
                    if time.monotonic() >= deadline:
                        raise
                    pause = RETRY_PAUSE
        return snapshot

    async def follow(self, job_id: str, owner: str, after: int) -> AsyncGenerator[StoredEvent | None]:
        """Yield the job's events after sequence number `after`, up to `done`. See `Jobs.events`."""
        with self._listener.watch(job_id) as watch:
            snapshot = await self._reader.snapshot(job_id, owner)
            if snapshot is None:
                raise NotFound(f"There is no job {job_id}.")
            after = min(after, snapshot.sequence)
            while snapshot is not None:
                try:
                    async for event in self._events(snapshot, after):
                        yield event
                        after = event.sequence
                        if event.type == "done":
                            return
                    if snapshot.state.ended:
                        break
                    if not await watch.woken(_next_check()):
                        snapshot = await self._reader.snapshot(job_id, owner)
                        yield None
                except BrokerUnavailable:
                    await watch.woken(RETRY_PAUSE)
            if snapshot is None:
                return
            # The events are dropped soon after the end, and of an abandoned job nobody has written the last one.
            last = snapshot.sequence + snapshot.is_abandoned
            if after < last:
                yield StoredEvent(last, "done", f'{{"state":"{snapshot.end.value}"}}')

    async def _events(self, snapshot: JobSnapshot, after: int) -> AsyncIterator[StoredEvent]:
        """Yield all events that are there after sequence number `after`.

        Of several previews that are read together only the newest is left, because Redis keeps no other.
        """
        events = key(self._connection.shard_of(snapshot.id), "events", snapshot.id)
        while True:
            found = await self._connection.command("ZRANGE", events, f"({after}", "+inf", "BYSCORE", "LIMIT", 0, _READ_TOGETHER)
            read = [_event(entry) for entry in found]
            newest_preview = max((each.sequence for each in read if each.type == "preview"), default=None)
            for each in read:
                if each.type != "preview":
                    yield each
                elif each.sequence == newest_preview and (text := await self._preview(snapshot, each)) is not None:
                    yield StoredEvent(each.sequence, "preview", text)
            if len(read) < _READ_TOGETHER:
                return
            after = read[-1].sequence

    async def _preview(self, snapshot: JobSnapshot, event: StoredEvent) -> str | None:
        """Return the JSON text of a preview event, or None if a newer preview has replaced it."""
        name = key(self._connection.shard_of(snapshot.id), "preview", snapshot.execution_id)
        step, image = await self._connection.command("HMGET", name, "step", "image")
        announced = json.loads(event.data)["step"]
        if step is None or int(step) != announced:
            return None
        return json.dumps({"step": announced, "image": f"data:image/png;base64,{base64.b64encode(image).decode()}"})


def _next_check() -> float:
    """Return about `CHECK_EVERY`. Callers who came together must not all read again at the same moment."""
    return CHECK_EVERY * random.uniform(0.8, 1.2)  # noqa: S311 - nobody gains from guessing it


def _event(entry: bytes) -> StoredEvent:
    """Return an event from its text, `<sequence> <type> <json>`."""
    sequence, event_type, text = entry.decode().split(" ", 2)
    return StoredEvent(int(sequence), cast("EventType", event_type), text)
