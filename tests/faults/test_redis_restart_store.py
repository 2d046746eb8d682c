"""The store alone: Redis is stopped and started again while jobs are submitted, claimed, completed and followed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jobstore.records import Execution, Submitted
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis
from schemas.errors import BrokerUnavailable
from schemas.jobs import JobState
from tests.jobstore.samples import claim_one, heard, result, submission
from tests.wait import until

pytestmark = pytest.mark.faults
JOBS = 150
RESTARTS = 5


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


class StoreLoad:
    """Callers, workers and followers of one store. All of them go on while Redis is away."""

    def __init__(self, store: JobStore) -> None:
        self.store = store
        self.accepted: list[str] = []
        self.seen: dict[str, list[tuple[int, str, str]]] = {}
        self.refusals = 0
        self.is_finished = False

    async def submit_all(self) -> None:
        for number in range(JOBS):
            self.accepted.append((await self._submit_until_accepted(number)).job.id)
            await asyncio.sleep(0.005)

    async def work(self, worker: str) -> None:
        while not self.is_finished:
            try:
                for execution in await self.store.queue.claim(worker, "fast", 4, 0.2):
                    await self._complete(execution)
            except BrokerUnavailable:
                await asyncio.sleep(0.01)

    async def follow(self, job_id: str) -> None:
        """Follow a job as a browser does: after a lost connection, go on after the last event."""
        seen = self.seen.setdefault(job_id, [])
        while not seen or seen[-1][1] != "done":
            try:
                async for event in self.store.jobs.events(job_id, "ann", after=seen[-1][0] if seen else 0):
                    if event is not None:
                        seen.append((event.sequence, event.type, event.data))
            except BrokerUnavailable:
                await asyncio.sleep(0.01)

    async def _submit_until_accepted(self, number: int) -> Submitted:
        given = submission(number, idempotency_key=f"key {number}", body_digest=f"{number}")
        while True:
            try:
                return await self.store.jobs.submit(given)
            except BrokerUnavailable:
                self.refusals += 1
                await asyncio.sleep(0.01)

    async def _complete(self, execution: Execution) -> None:
        while True:
            try:
                await self.store.queue.complete(execution, result(execution.key.encode()))
                return
            except BrokerUnavailable:
                await asyncio.sleep(0.01)


async def test_restarts_under_load_lose_nothing_and_show_nothing_twice(tmp_path: Path):
    settings = StoreSettings(data_dir=tmp_path, min_free_disk=0, lease=1.0, max_queued_per_caller=JOBS, max_attempts=RESTARTS + 2)
    server = EmbeddedRedis.start(tmp_path, appendfsync="always")
    store = JobStore.connect(server.url, settings)
    load = StoreLoad(store)
    working = [asyncio.create_task(load.work(f"w{number}")) for number in range(3)]
    submitting = asyncio.create_task(load.submit_all())
    for restart in range(RESTARTS):
        await until(lambda restart=restart: len(load.accepted) >= (restart + 1) * JOBS // (RESTARTS + 2))
        server.kill()
        refused = load.refusals
        await until(lambda refused=refused: load.refusals > refused)
        server = EmbeddedRedis.start(tmp_path, appendfsync="always")
    await submitting
    await asyncio.wait_for(asyncio.gather(*(load.follow(job_id) for job_id in load.accepted)), 60)
    load.is_finished = True
    await asyncio.gather(*working)

    assert len(set(load.accepted)) == JOBS
    jobs, _ = await store.jobs.page("ann", limit=JOBS + 10)
    assert sorted(job.id for job in jobs) == sorted(load.accepted)
    assert {job.state for job in jobs} == {JobState.SUCCEEDED}
    for job in jobs:
        assert await store.artifacts.read(job.id, "ann", "overlay") == job.id.encode()
        sequences = [sequence for sequence, _, _ in load.seen[job.id]]
        assert sequences == sorted(set(sequences))
        assert [kind for _, kind, _ in load.seen[job.id]].count("done") == 1
    await store.close()
    server.stop()
