"""The claim loop: what it claims, how it keeps leases, and how it drains. The Redis is real."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from redis import Redis

from jobstore.store import JobStore
from schemas.jobs import JobState
from tests.wait import until
from tests.workers.execution.scripted import state
from tests.workers.jobs import OWNER, job, result, submit


@pytest.mark.parametrize("lane", ["fast", "slow"])
async def test_a_canceled_job_is_stopped_and_nothing_stored(store, start_worker, lane):
    worker = start_worker()
    job_id = await submit(store, "a", lane=lane)
    await until(lambda: "a" in worker.runner.running)
    await store.jobs.cancel(job_id, OWNER)
    await until(lambda: worker.runner.canceled == ["a"])
    assert await state(store, job_id) is JobState.CANCELED


async def test_no_more_jobs_are_claimed_than_the_settings_allow(store, start_worker):
    worker = start_worker(fast_in_flight=3, slow_in_flight=1)
    for number in range(5):
        await submit(store, f"f{number}")
        await submit(store, f"s{number}", lane="slow")
    await until(lambda: set(worker.runner.running) == {"f0", "f1", "f2", "s0"})
    for lane in ("fast", "slow"):
        for number in range(5):
            worker.runner.end(f"{lane[0]}{number}").set_result(result())

    async def empty() -> bool:
        depth = await store.queue.depth()
        return all(lane.queued == lane.running == 0 for lane in depth.lanes.values())

    await until(empty)
    assert worker.runner.most_at_once == 4


async def test_jobs_that_wait_for_a_model_do_not_stop_others(store, start_worker):
    worker = start_worker(fast_in_flight=4)
    loaded = worker.runner.loads["big"] = asyncio.Event()
    slow_to_load = [await submit(store, f"big{number}", model="big") for number in range(99)]
    quick = await submit(store, "quick")
    worker.runner.end("quick").set_result(result())
    assert (await store.jobs.wait(quick, OWNER, 10)).state is JobState.SUCCEEDED
    assert len(worker.runner.running) == 99

    at_work: list[int] = []

    async def count() -> None:
        at_work.append(sum(name in worker.runner.started for name in worker.runner.running))

    worker.runner.on_start = count
    for number in range(99):
        worker.runner.end(f"big{number}").set_result(result())
    loaded.set()
    for job_id in slow_to_load:
        record = await store.jobs.wait(job_id, OWNER, 10)
        assert (record.state, record.attempts) == (JobState.SUCCEEDED, 1)
    assert max(at_work) <= 4


async def test_no_more_jobs_are_claimed_while_too_many_wait_for_models(store, start_worker):
    worker = start_worker(fast_in_flight=2, loading_in_flight=3)
    loaded = worker.runner.loads["big"] = asyncio.Event()
    jobs = [await submit(store, f"big{number}", model="big") for number in range(9)]
    await until(lambda: len(worker.runner.running) >= 3)
    other = await submit(store, "other")
    for name in ("other", *(f"big{number}" for number in range(9))):
        worker.runner.end(name).set_result(result())
    assert (await store.jobs.wait(other, OWNER, 0.3)).state is JobState.QUEUED
    assert len(worker.runner.running) < 6
    loaded.set()
    for job_id in (other, *jobs):
        assert (await store.jobs.wait(job_id, OWNER, 10)).state is JobState.SUCCEEDED


async def test_a_lease_is_kept_for_as_long_as_the_job_runs(store, start_worker, settings):
    worker = start_worker(lease=0.4, heartbeat=0.05)
    job_id = await submit(store, "a")
    await until(lambda: "a" in worker.runner.running)
    other = JobStore.connect(str(settings.redis_url), settings.model_copy(update={"lease": 0.4}))
    started = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < started + 1.5:
        assert await other.queue.claim("w2", "fast", 5, 0.1) == []
    await other.close()
    worker.runner.end("a").set_result(result())
    assert (await store.jobs.wait(job_id, OWNER, 10)).attempts == 1


async def test_a_job_another_worker_has_taken_over_is_left_to_it(store, start_worker, settings):
    worker = start_worker()
    job_id = await submit(store, "a")
    await until(lambda: "a" in worker.runner.running)
    thief = JobStore.connect(str(settings.redis_url), settings.model_copy(update={"lease": 0.001}))
    (taken,) = await thief.queue.claim("w2", "fast", 1, 1.0)
    await until(lambda: worker.runner.canceled == ["a"])
    assert await thief.queue.complete(taken, result("thief"))
    await thief.close()
    record = await store.jobs.wait(job_id, OWNER, 10)
    assert (record.state, record.attempts) == (JobState.SUCCEEDED, 2)
    assert await store.artifacts.read(job_id, OWNER, "note") == b"thief"


async def test_a_renewal_during_a_completion_cancels_nothing(store, start_worker):
    """The store has ended the job, and its answer is still on the way when a renewal asks for the job."""
    worker = start_worker(heartbeat=0.02, cancel_poll=0.02)
    queue, stored, answered, renewed = worker.store.queue, asyncio.Event(), asyncio.Event(), asyncio.Event()
    complete, renew = queue.complete, queue.renew

    async def complete_slowly(*args):
        answer = await complete(*args)
        stored.set()
        await answered.wait()
        return answer

    async def watched_renew(*args):
        lost = await renew(*args)
        if stored.is_set():
            renewed.set()
        return lost

    queue.complete, queue.renew = complete_slowly, watched_renew
    await submit(store, "a")
    await until(lambda: "a" in worker.runner.running)
    worker.runner.end("a").set_result(result())
    await renewed.wait()
    await asyncio.sleep(0)
    answered.set()
    value = worker.metrics.registry.get_sample_value
    labels = {"method": "predict", "model": "m"}
    await until(lambda: value("convscope_executions_total", {"state": "succeeded", **labels}) == 1)
    assert value("convscope_executions_total", {"state": "canceled", **labels}) is None


async def test_a_worker_lives_and_goes_on_after_redis_was_full(store, start_worker, settings):
    worker = start_worker(lease=1.0)
    before = await submit(store, "a")
    await until(lambda: "a" in worker.runner.running)
    with Redis.from_url(str(settings.redis_url)) as redis:
        redis.config_set("maxmemory", 1)
        try:
            until_time = asyncio.get_running_loop().time() + 1.5
            while asyncio.get_running_loop().time() < until_time:
                assert [status.id for status in await store.workers.alive()] == ["w1"]
                await asyncio.sleep(0.1)
        finally:
            redis.config_set("maxmemory", 0)
    after = await submit(store, "b")
    for name in "ab":
        worker.runner.end(name).set_result(result())
    for job_id in (before, after):
        record = await store.jobs.wait(job_id, OWNER, 10)
        assert (record.state, record.attempts) == (JobState.SUCCEEDED, 1)


async def test_draining_finishes_what_can_be_finished_and_gives_back_the_rest(store, start_worker):
    worker = start_worker(worker_drain=60.0)
    finishing, endless = await submit(store, "a"), await submit(store, "b", lane="slow")
    await until(lambda: set(worker.runner.running) == {"a", "b"})
    worker.ask_to_stop()

    async def draining() -> bool:
        return [status.draining for status in await store.workers.alive()] == [True]

    await until(draining)
    late = await submit(store, "c")
    worker.runner.end("a").set_result(result())
    assert (await store.jobs.wait(finishing, OWNER, 10)).state is JobState.SUCCEEDED
    worker.task.cancel()  # the same happens when the drain time is over
    with contextlib.suppress(asyncio.CancelledError):
        await worker.task
    assert worker.runner.canceled == ["b"]
    assert await state(store, late) is JobState.QUEUED
    record = await job(store, endless)
    assert (record.state, record.attempts) == (JobState.QUEUED, 0)

    second = start_worker("w2")
    await until(lambda: {"b", "c"} <= set(second.runner.running))
    second.runner.end("b").set_result(result())
    assert (await store.jobs.wait(endless, OWNER, 10)).attempts == 1


async def test_after_the_drain_time_jobs_are_given_back(store, start_worker):
    worker = start_worker(worker_drain=0.1)
    job_id = await submit(store, "a")
    await until(lambda: "a" in worker.runner.running)
    await worker.close()
    record = await job(store, job_id)
    assert (record.state, record.attempts) == (JobState.QUEUED, 0)
    assert await store.workers.alive() == []


async def test_the_worker_is_seen_and_then_forgotten(store, start_worker):
    worker = start_worker("w7")

    async def seen() -> bool:
        return [(status.id, status.device, status.loaded_models) for status in await store.workers.alive()] == [("w7", "CPU:0", ("tiny",))]

    await until(seen)
    await worker.close()
    assert await store.workers.alive() == []
