"""The store alone: Redis is stopped and started again while jobs are submitted, claimed, completed and followed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.fault_drill.faults import redis_restarts
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis
from schemas.errors import BrokerUnavailable
from schemas.jobs import JobState
from tests.jobstore.samples import claim_one, heard, result, submission

pytestmark = pytest.mark.faults


async def test_queue_results_and_leases_are_there_after_a_restart(tmp_path: Path):
    settings = StoreSettings(data_dir=tmp_path, min_free_disk=0)
    server = await asyncio.to_thread(EmbeddedRedis.start, tmp_path)
    store = JobStore.connect(server.url, settings)
    done, running, queued = [(await store.jobs.submit(submission(number))).job for number in range(3)]
    assert await store.queue.complete(await claim_one(store), result(b"x" * 5000))
    held = await claim_one(store)
    await store.queue.progress(held, 1, 2)
    server.stop()
    with pytest.raises(BrokerUnavailable):
        await store.jobs.read(done.id, "ann")

    with EmbeddedRedis.start(tmp_path):
        assert await store.artifacts.read(done.id, "ann", "overlay") == b"x" * 5000
        assert (await store.jobs.submit(submission(0))).job.cached
        assert await store.queue.renew("w1", [held]) == []
        assert (await claim_one(store, "w2")).key == queued.id
        assert await store.queue.complete(held, result())
        states = [(await store.jobs.read(job.id, "ann")).state for job in (done, running, queued)]  # type: ignore[union-attr]
        assert states == [JobState.SUCCEEDED, JobState.SUCCEEDED, JobState.RUNNING]
        kinds = [kind for _, kind, _ in await heard(store.jobs.events(running.id, "ann"))]
        assert kinds == ["status", "status", "progress", "progress", "done"]
        await store.close()


async def test_restarts_under_load_lose_nothing_and_show_nothing_twice(tmp_path: Path):
    for figure in await redis_restarts.run(tmp_path, True):
        assert figure.holds, str(figure)
