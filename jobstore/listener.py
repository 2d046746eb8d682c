"""Wake everybody in this process who waits for a job, with one or two blocking reads of Redis for each shard.

Every event of a job is announced in its shard: its end in one stream, all others in a second one. Waiting callers take no connection of
their own: the listener reads the announcements and wakes those who wait for that job. A waiting caller then reads what it needs. The second
stream is read only while somebody follows a job, because most callers wait for the end alone, and each read takes time of Redis and of this
process.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Literal

from redis.exceptions import RedisError

from jobstore.connection import LONGEST_BLOCK, MAX_EVENTS, Connection, StreamEntry
from jobstore.keys import key
from schemas.errors import VisualizationError

RECENT_ENDS = 256  # jobs whose end was announced last, for those who begin to watch a moment too late
RECONNECT_PAUSE = 0.2  # how long the listener waits after a failed read before it reads again, seconds

Announced = Literal["ends", "changes"]
_STREAMS: dict[Announced, str] = {"ends": "all", "changes": "changes"}


class JobWatch:
    """One waiting caller. It is woken by announcements of its job, and whenever announcements may have been missed."""

    def __init__(self, *, only_end: bool) -> None:
        self._only_end = only_end
        self._woken = asyncio.Event()

    def wake(self, event_type: bytes = b"done") -> None:
        """Wake the caller, unless it waits for the end of the job and this is another event."""
        if event_type == b"done" or not self._only_end:
            self._woken.set()

    async def woken(self, seconds: float) -> bool:
        """Return True when the caller has been woken since the last call, or False after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True


class JobListener:
    """Reads the announced ends of each shard from the first watch in it until `close`, and other events while somebody follows a job there.

    After a lost connection it connects again and wakes everybody, because announcements may have been missed meanwhile.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._watches: dict[int, dict[str, set[JobWatch]]] = {shard: {} for shard in connection.shards}
        self._ended: dict[int, deque[str]] = {shard: deque(maxlen=RECENT_ENDS) for shard in connection.shards}
        self._followers = dict.fromkeys(connection.shards, 0)
        self._reading: dict[tuple[int, Announced], asyncio.Task[None]] = {}

    @property
    def watches(self) -> int:
        """Return how many callers wait."""
        return sum(len(watches) for jobs in self._watches.values() for watches in jobs.values())

    @contextmanager
    def watch(self, job_id: str, *, only_end: bool = False) -> Generator[JobWatch]:
        """Watch a job. No event is missed that comes after the watch has begun, so read the job after that, and again when woken.

        With `only_end`, only the event `done` wakes. If that event has come a moment ago, it wakes at once.
        """
        shard = self._connection.shard_of(job_id)
        jobs, watch = self._watches[shard], JobWatch(only_end=only_end)
        jobs.setdefault(job_id, set()).add(watch)
        self._keep_reading(shard, "ends")
        if not only_end:
            self._followers[shard] += 1
            self._keep_reading(shard, "changes")
        if job_id in self._ended[shard]:
            watch.wake()
        try:
            yield watch
        finally:
            self._followers[shard] -= 0 if only_end else 1
            jobs[job_id].discard(watch)
            if not jobs[job_id]:
                del jobs[job_id]

    async def close(self) -> None:
        """Stop reading. Nobody is woken after this."""
        tasks = list(self._reading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._reading.clear()

    def _keep_reading(self, shard: int, announced: Announced) -> None:
        task = self._reading.get((shard, announced))
        if task is None or task.done():
            self._reading[shard, announced] = asyncio.create_task(self._read(shard, announced), name=f"job listener {shard} {announced}")

    async def _read(self, shard: int, announced: Announced) -> None:
        while self._is_wanted(shard, announced):
            try:
                await self._read_without_gap(shard, announced)
            except (VisualizationError, RedisError):
                await asyncio.sleep(RECONNECT_PAUSE)

    def _is_wanted(self, shard: int, announced: Announced) -> bool:
        return announced == "ends" or self._followers[shard] > 0

    async def _read_without_gap(self, shard: int, announced: Announced) -> None:
        """Read from the newest announcement on. Return if nobody needs them any more, or if some may have been dropped unread.

        The stream keeps at least `MAX_EVENTS` announcements, so a shorter reply proves that nothing was dropped.
        """
        stream = key(shard, "announcements", _STREAMS[announced])
        newest = await self._connection.command("XREVRANGE", stream, "+", "-", "COUNT", 1)
        last = newest[0][0].decode() if newest else "0-0"
        for watches in self._watches[shard].values():
            for watch in watches:
                watch.wake(b"done" if announced == "ends" else b"status")  # as if such an event had come
        entries: Sequence[StreamEntry] = ()
        while len(entries) < MAX_EVENTS and self._is_wanted(shard, announced):
            entries = await self._connection.read_stream(stream, last, LONGEST_BLOCK, MAX_EVENTS)
            for entry_id, fields in entries:
                last = entry_id.decode()
                job_id, event_type = fields[b"job"].decode(), fields[b"type"]
                if event_type == b"done":
                    self._ended[shard].append(job_id)
                for watch in self._watches[shard].get(job_id, ()):
                    watch.wake(event_type)
