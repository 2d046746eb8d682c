"""Wait for the wake-ups of a lane in all shards, with one blocking read of Redis for each shard.

A read that is not finished when another shard wakes a worker goes on, and the next wait takes it over. Canceling it would close its
connection, so that each wake-up would open a new connection for each other shard.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from jobstore.connection import LONGEST_BLOCK, Connection, StreamEntry
from jobstore.keys import key
from schemas.methods.card import Lane

_Read = asyncio.Task[Sequence[StreamEntry]]


class WakeupReads:
    """Holds the blocking reads of a process, at most one for each lane and shard."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reads: dict[tuple[Lane, int], _Read] = {}

    async def wait(self, lane: Lane, last_wakeups: Mapping[int, str], seconds: float) -> None:
        """Return when a shard has a wake-up after its last one, or after `seconds`. `last_wakeups` are stream ids by shard.

        Raises:
            BrokerUnavailable: Redis does not answer.
        """
        deadline = time.monotonic() + seconds
        while (remaining := deadline - time.monotonic()) > 0:
            reads = {self._read(lane, shard, last): shard for shard, last in last_wakeups.items()}
            done, _ = await asyncio.wait(reads, timeout=remaining, return_when=asyncio.FIRST_COMPLETED)
            for read in done:
                if self._reads.get((lane, reads[read])) is read:
                    del self._reads[lane, reads[read]]
            # A read that an earlier wait began may tell of a wake-up that has been answered since.
            if any(_order(entry_id) > _order(last_wakeups[reads[read]].encode()) for read in done for entry_id, _ in read.result()):
                return

    async def close(self) -> None:
        """Cancel all reads."""
        reads = list(self._reads.values())
        self._reads.clear()
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)

    def _read(self, lane: Lane, shard: int, last: str) -> _Read:
        read = self._reads.get((lane, shard))
        if read is None or (read.done() and (read.cancelled() or read.exception())):
            stream = key(shard, "wakeup", lane)
            read = asyncio.create_task(self._connection.read_stream(stream, last, LONGEST_BLOCK), name=f"wake-ups of {lane} {shard}")
            read.add_done_callback(_look_at_error)
            self._reads[lane, shard] = read
        return read


def _look_at_error(read: _Read) -> None:
    """Mark the error of a read as seen. If nobody waits for the read any more, nobody needs the error."""
    if not read.cancelled():
        read.exception()


def _order(entry_id: bytes) -> tuple[int, ...]:
    """Return the two numbers of a stream's id, `1764170000123-0`, in which ids are ordered."""
    return tuple(map(int, entry_id.split(b"-")))
