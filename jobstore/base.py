"""What every part of the store stands on."""

from __future__ import annotations

from typing import Any, Self

from redis.asyncio import Redis

from jobstore.blobs import Blobs
from jobstore.connection import Connection
from jobstore.keys import Shard, is_job_id, owner_key, shard_of
from jobstore.parsing import View
from jobstore.settings import StoreSettings

MAX_EVENTS = 1000  # of one job; older ones are dropped


class StoreBase:
    """Connection, settings, blobs, and the way to call a script."""

    def __init__(self, redis: Redis, settings: StoreSettings) -> None:
        """`redis` is configured as `Connection` says; `connect` sees to that."""
        self._open(Connection(redis), settings)

    @classmethod
    def connect(cls, url: str, settings: StoreSettings) -> Self:
        store = cls.__new__(cls)
        store._open(Connection.open(url), settings)
        return store

    def _open(self, connection: Connection, settings: StoreSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._blobs = Blobs(connection, settings)
        self._common: dict[str, Any] = {
            "ttl": settings.result_ttl * 1000,
            "record_ttl": settings.result_ttl * 2000,
            "max_events": MAX_EVENTS,
        }

    async def close(self) -> None:
        await self._connection.close()

    async def ping(self) -> None:
        """BrokerUnavailable where Redis does not answer."""
        await self._connection.command("PING")

    async def _script(self, script: str, shard: Shard, *payload: bytes | str, **arguments: Any) -> Any:
        return await self._connection.script(script, shard, {**self._common, **arguments}, payload)

    def _shard(self, job_id: str) -> int:
        return shard_of(job_id, self._settings.shards)

    async def _views(self, job_ids: list[str], owner: str, shard: int) -> list[View]:
        return [View(reply) for reply in await self._script("read", shard, jobs=job_ids, owner_key=owner_key(owner))]

    async def _view(self, job_id: str, owner: str) -> View | None:
        """The job at this moment; None where it is not there, is another's, or is no job's id."""
        views = await self._views([job_id], owner, self._shard(job_id)) if is_job_id(job_id) else []
        return views[0] if views else None
