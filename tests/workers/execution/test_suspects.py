"""Executions that may have killed their workers: they run alone, and the record says when they are at work. The Redis is real."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobstore.store import JobStore
from schemas.jobs import JobState
from tests.wait import until
from tests.workers.jobs import OWNER, result, submit
from workers.execution.held_executions import is_suspect


async def test_a_job_at_its_last_attempt_runs_alone(store, start_worker, settings):
    dead = JobStore.connect(str(settings.redis_url), settings)
    ids = [await submit(store, name) for name in "abc"]
    assert len(await dead.queue.claim("dead", "fast", 3, 1.0)) == 3
    await dead.close()

    worker = start_worker(max_attempts=2, lease=0.5, heartbeat=0.05)
    claimed: list[int] = []

    async def count_claimed() -> None:
        claimed.append((await store.queue.depth()).lanes["fast"].running)

    worker.runner.on_start = count_claimed
    await until(lambda: worker.runner.running)
    await submit(store, "d")
    for name in "abcd":
        await until(lambda name=name: set(worker.runner.running) & set("abcd"))
        (one,) = worker.runner.running
        worker.runner.end(one).set_result(result())
        await until(lambda one=one: one not in worker.runner.running)
    assert worker.runner.most_at_once == 1
    assert claimed[:3] == [
        1,
        1,
        1,
    ]  # the others were given back first, because the first job could kill the worker and cost them their last attempts
    assert [(await store.jobs.wait(job_id, OWNER, 10)).state for job_id in ids] == [JobState.SUCCEEDED] * 3


async def test_a_job_that_was_spared_twice_runs_alone_and_is_at_work_all_the_time(store, start_worker):
    """A job that kills its worker while nothing is at work is spared. It is found because it runs alone."""
    spared, other = await submit(store, "a"), await submit(store, "b")
    for death in range(2):
        assert len(await store.queue.claim(f"dead{death}", "fast", 2, 1.0)) == 2
        await store.workers.release_held(f"dead{death}", [other])
    worker = start_worker(max_attempts=3)
    for name, job_id in (("a", spared), ("b", other)):
        await until(lambda name=name: set(worker.runner.running) == {name})
        assert worker.record.ids == [job_id]
        worker.runner.end(name).set_result(result())
    assert [(await store.jobs.wait(job_id, OWNER, 10)).attempts for job_id in (spared, other)] == [1, 3]
    await until(lambda: worker.record.ids == [])


async def test_jobs_that_wait_are_held_and_not_at_work(store, start_worker):
    worker = start_worker()
    for name in "ab":
        await submit(store, name)
    await until(lambda: len(worker.runner.running) == 2)
    assert worker.record.ids == []
    for name in "ab":
        worker.runner.end(name).set_result(result())


@pytest.mark.parametrize(
    ("attempt", "spared", "most", "suspect"),
    [
        (1, 0, 3, False),
        (2, 0, 3, False),
        (3, 0, 3, True),
        (1, 1, 3, False),
        (1, 2, 3, True),
        (2, 1, 3, True),
        (1, 0, 1, False),  # otherwise every execution would run alone
        (1, 1, 1, True),
    ],
)
async def test_an_execution_is_suspect_if_its_next_death_may_be_its_last(store, attempt, spared, most, suspect):
    await submit(store, "a")
    (execution,) = await store.queue.claim("w1", "fast", 1, 1.0)
    assert is_suspect(replace(execution, attempt=attempt, spared=spared), most) is suspect
