"""Wake everybody in this process who waits for a job, with one blocking read of Redis for each shard.

Every event of a job is announced in one stream of its shard. Waiting callers take no connection of their own: the listener reads the
announcements and wakes those who wait for that job. A waiting caller then reads what it needs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from redis.exceptions import RedisError

from jobstore.connection import LONGEST_BLOCK, MAX_EVENTS, Connection, StreamEntry
from jobstore.keys import key
from schemas.errors import VisualizationError

RECENT_ENDS = 256  # jobs whose end was announced last, for those who begin to watch a moment too late
RECONNECT_PAUSE = 0.2  # how long the listener waits after a failed read before it reads again, seconds


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
    """Reads the announcements of each shard from the first watch in it until `close`.

    After a lost connection it connects again and wakes everybody, because announcements may have been missed meanwhile.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._watches: dict[int, dict[str, set[JobWatch]]] = {shard: {} for shard in connection.shards}
        self._ended: dict[int, deque[str]] = {shard: deque(maxlen=RECENT_ENDS) for shard in connection.shards}
        self._reading: dict[int, asyncio.Task[None]] = {}

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
        if shard not in self._reading or self._reading[shard].done():
            self._reading[shard] = asyncio.create_task(self._read(shard), name=f"job listener {shard}")
        jobs, watch = self._watches[shard], JobWatch(only_end=only_end)
        jobs.setdefault(job_id, set()).add(watch)
        if job_id in self._ended[shard]:
            watch.wake()
        try:
            yield watch
        finally:
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

    async def _read(self, shard: int) -> None:
        while True:
            try:
                await self._read_without_gap(shard)
            except (VisualizationError, RedisError):
                await asyncio.sleep(RECONNECT_PAUSE)

    async def _read_without_gap(self, shard: int) -> None:
        """Read from the newest announcement on. Return if announcements may have been dropped before they were read.

        The stream keeps at least `MAX_EVENTS` announcements, so a shorter reply proves that nothing was dropped.
        """
        stream = key(shard, "announcements", "all")
        newest = await self._connection.command("XREVRANGE", stream, "+", "-", "COUNT", 1)
        last = newest[0][0].decode() if newest else "0-0"
        for watches in self._watches[shard].values():
            for watch in watches:
                watch.wake()
        entries: Sequence[StreamEntry] = ()
        while len(entries) < MAX_EVENTS:
            entries = await self._connection.read_stream(stream, last, LONGEST_BLOCK, MAX_EVENTS)
            for entry_id, fields in entries:
                last = entry_id.decode()
                job_id, event_type = fields[b"job"].decode(), fields[b"type"]
                if event_type == b"done":
                    self._ended[shard].append(job_id)
                for watch in self._watches[shard].get(job_id, ()):
                    watch.wake(event_type)
