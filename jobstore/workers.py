"""Keep the heartbeats of workers, so that the service knows which workers are alive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobstore.connection import Connection
from jobstore.keys import key
from schemas.health import WorkerStatus

STALE_LEASES = 10  # a queue consumer that holds nothing is removed after this many leases without a sign of life


@dataclass(frozen=True)
class HeldAtDeath:
    """Says how many executions of a dead worker were given back without a counted attempt, and how many with one."""

    spared: int
    charged: int


class WorkerRegistry:
    """Keeps the heartbeats of workers, gives back what the dead ones held, and removes from the queues' consumers those that are gone.

    Every method raises `BrokerUnavailable` if Redis does not answer.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lease = round(connection.settings.lease * 1000)

    async def heartbeat(self, status: WorkerStatus) -> None:
        """Record that a worker is alive. The record lives for one lease. It is written even if the memory of Redis is full."""
        await self._connection.script("heartbeat", "workers", worker=status.id, status=status.model_dump_json(), lease=self._lease)

    async def alive(self) -> list[WorkerStatus]:
        """Return the last heartbeat of every worker that sent one within a lease, sorted by id."""
        ids = sorted(worker.decode() for worker in await self._connection.command("SMEMBERS", _ALIVE))
        if not ids:
            return []
        found = await self._connection.command("MGET", *(key("workers", "worker", worker) for worker in ids))
        gone = [worker for worker, text in zip(ids, found, strict=True) if text is None]
        if gone:
            await self._connection.command("SREM", _ALIVE, *gone)
        return [WorkerStatus.model_validate_json(text) for text in found if text is not None]

    async def forget(self, worker: str) -> None:
        """Record that a worker has ended. Other workers take over what it still holds after the lease has run out."""
        await self._connection.command("DEL", key("workers", "worker", worker))
        await self._connection.command("SREM", _ALIVE, worker)
        for shard in self._connection.shards:
            await self._connection.script("consumers", shard, idle=0, worker=worker)

    async def release_held(self, worker: str, at_work: Sequence[str]) -> HeldAtDeath:
        """Give back what a worker held when it died, so that other workers claim it at once.

        The attempt counts only for the executions `at_work`, by their ids. A repetition finds nothing more, so it is safe to call again
        if the answer was lost.
        """
        counts = [await self._connection.script("release_dead", shard, worker=worker, at_work=at_work) for shard in self._connection.shards]
        return HeldAtDeath(spared=sum(spared for spared, _ in counts), charged=sum(charged for _, charged in counts))

    async def remove_stale_consumers(self) -> None:
        """Remove the queue consumers of workers that ended without saying so. Without this their number would grow forever."""
        for shard in self._connection.shards:
            await self._connection.script("consumers", shard, idle=STALE_LEASES * self._lease)


_ALIVE = key("workers", "workers", "all")
