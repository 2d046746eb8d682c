"""Heartbeats of workers, and their places as consumers of the queues."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.errors import StorageFull
from schemas.health import WorkerStatus
from tests.jobstore.samples import claim_one, result, run_one, submission, taken_over
from tests.redis_servers import each_server, open_redis
from tests.wait import until

STATUS = WorkerStatus(id="w1", device="CPU:0", started_at=datetime(2026, 11, 24, tzinfo=UTC), loaded_models=("tiny",), running=0)


async def test_a_worker_is_alive_for_one_lease_after_its_heartbeat(make_store: Callable[..., JobStore]):
    store = make_store(lease=0.5)
    other = STATUS.model_copy(update={"id": "w0", "draining": True})
    await store.workers.heartbeat(STATUS)
    await store.workers.heartbeat(other)
    assert await store.workers.alive() == [other, STATUS]
    await store.workers.forget("w0")
    assert await store.workers.alive() == [STATUS]

    async def silent() -> bool:
        await store.workers.heartbeat(other)
        return await store.workers.alive() == [other]

    await until(silent)


async def test_a_worker_stays_alive_while_redis_is_full(make_store: Callable[..., JobStore], store_settings: StoreSettings):
    store = make_store(lease=0.5)
    await store.workers.heartbeat(STATUS)
    with each_server(store_settings.redis_url or "") as servers:
        for redis in servers:
            redis.config_set("maxmemory", 1)
        try:
            for running in range(5):
                status = STATUS.model_copy(update={"running": running})
                await store.workers.heartbeat(status)
                assert await store.workers.alive() == [status]
                with pytest.raises(StorageFull):
                    await store.jobs.submit(submission(running))
                await asyncio.sleep(0.2)
        finally:
            for redis in servers:
                redis.config_set("maxmemory", 0)


async def test_consumers_of_workers_that_are_gone_are_removed(short: JobStore, store_settings: StoreSettings):
    def consumers() -> set[str]:
        with open_redis(store_settings.redis_url or "") as redis:
            names = list(redis.scan_iter("*:queue:*"))
            return {consumer["name"].decode() for name in names for consumer in redis.xinfo_consumers(name, "workers")}

    await short.jobs.submit(submission(1))
    await short.jobs.submit(submission(2))
    await claim_one(short, "stays")
    await run_one(short)
    assert consumers() == {"stays", "w1"}
    await short.workers.forget("w1")
    assert consumers() == {"stays"}
    await short.workers.forget("stays")
    assert consumers() == {"stays"}, "other workers must find what it holds"
    await short.queue.complete(await taken_over(short, "heir"), result())

    async def swept() -> bool:
        await short.sweep()
        return not consumers()

    await until(swept)
