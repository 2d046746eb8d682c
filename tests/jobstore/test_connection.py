"""The connection to Redis: lost scripts, a Redis that is away, silent or full."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from jobstore import connection, redis_clients
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis
from schemas.errors import BrokerUnavailable, StorageFull
from schemas.jobs import JobError, JobState
from tests.jobstore.samples import claim_one, heard, result, run_one, submission
from tests.redis_servers import open_redis


@pytest.fixture
async def lone_store(tmp_path: Path) -> AsyncIterator[tuple[JobStore, EmbeddedRedis]]:
    """Yield a store on a Redis of its own, which a test may stop."""
    with EmbeddedRedis.start(tmp_path, max_memory=30 * 2**20) as server:
        store = JobStore.connect(server.url, StoreSettings(data_dir=tmp_path, min_free_disk=0))
        yield store, server
        await store.close()


async def test_a_script_that_redis_has_forgotten_is_sent_again(store: JobStore, redis_url: str):
    await store.jobs.submit(submission(1))
    with open_redis(redis_url) as redis:
        redis.script_flush()
    await run_one(store)


async def test_every_call_raises_broker_unavailable_without_redis(lone_store: tuple[JobStore, EmbeddedRedis]):
    store, server = lone_store
    job = (await store.jobs.submit(submission(1))).job
    execution = await claim_one(store)
    claiming = asyncio.create_task(store.queue.claim("w2", "fast", 1, 60))
    await store.queue.depth()
    server.stop()
    calls = [
        claiming,
        store.jobs.wait(job.id, "ann", 60),
        heard(store.jobs.events(job.id, "ann")),
        store.ping(),
        store.jobs.submit(submission(2)),
        store.jobs.read(job.id, "ann"),
        store.jobs.page("ann"),
        store.jobs.cancel(job.id, "ann"),
        store.queue.renew("w1", [execution]),
        store.queue.progress(execution, 1, 2),
        store.queue.complete(execution, result()),
        store.workers.alive(),
        store.queue.depth(),
        store.images.put("ann", b"image", "PNG", 1, 1),
    ]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [BrokerUnavailable] * len(calls)
    assert all(outcome.retry_after for outcome in outcomes if isinstance(outcome, BrokerUnavailable))


async def test_a_connection_that_does_not_open_in_time_is_opened_again(
    redis_url: str, store_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
):
    opened = asyncio.open_connection
    attempts: list[object] = []

    async def slow_at_first(*address: Any, **options: Any) -> Any:
        attempts.append(address)
        return await (asyncio.sleep(60) if len(attempts) == 1 else opened(*address, **options))

    monkeypatch.setattr(redis_clients, "CONNECT_TIMEOUT", 0.2)
    monkeypatch.setattr(asyncio, "open_connection", slow_at_first)
    fresh = JobStore.connect(redis_url, store_settings)
    await fresh.ping()
    assert len(attempts) >= 2
    await fresh.close()


@pytest.mark.faults
async def test_a_silent_redis_is_noticed(lone_store: tuple[JobStore, EmbeddedRedis], monkeypatch: pytest.MonkeyPatch):
    store, server = lone_store
    job = (await store.jobs.submit(submission(1))).job
    monkeypatch.setattr(connection, "ANSWER_TIMEOUT", 0.2)
    monkeypatch.setattr(connection, "LONGEST_BLOCK", 0.2)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        for call in (store.ping(), store.jobs.wait(job.id, "ann", 60), store.queue.claim("w1", "fast", 1, 60)):
            with pytest.raises(BrokerUnavailable):
                await call
    finally:
        os.kill(server.pid, signal.SIGCONT)
    monkeypatch.undo()
    await store.ping()
    assert (await store.jobs.read(job.id, "ann")).state is JobState.QUEUED  # type: ignore[union-attr]


async def test_a_full_redis_refuses_new_jobs_but_keeps_and_ends_unfinished_ones(lone_store: tuple[JobStore, EmbeddedRedis]):
    store, server = lone_store
    done = (await store.jobs.submit(submission(1))).job
    await run_one(store)
    failing, canceled, deleted, running = [(await store.jobs.submit(submission(number))).job for number in (2, 3, 4, 5)]
    executions = await store.queue.claim("w1", "fast", 4, 0)
    with Redis.from_url(server.url) as redis:
        redis.config_set("maxmemory", 1)

        for refused in (
            store.jobs.submit(submission(9)),
            store.images.put("ann", b"image", "PNG", 1, 1),
            store.queue.complete(executions[3], result()),
            store.queue.claim("w2", "fast", 1, 0),
        ):
            with pytest.raises(StorageFull):
                await refused
        assert {job.id for job in (await store.jobs.page("ann"))[0]} == {failing.id, canceled.id, deleted.id, running.id}
        assert await store.jobs.read(done.id, "ann") is None, "the ended job has given way"
        assert (await store.evictions())["record", "memory"] == 1
        assert await store.queue.renew("w1", executions) == []
        assert await store.queue.fail(executions[0], JobError(code="internal", detail="no room", retryable=True))
        assert (await store.jobs.cancel(canceled.id, "ann")).state is JobState.CANCELED
        assert await store.jobs.delete(deleted.id, "ann")
        assert (await store.jobs.read(failing.id, "ann")).state is JobState.FAILED  # type: ignore[union-attr]

        redis.config_set("maxmemory", 0)
    assert await store.queue.complete(executions[3], result())
    assert (await store.jobs.read(running.id, "ann")).state is JobState.SUCCEEDED  # type: ignore[union-attr]
