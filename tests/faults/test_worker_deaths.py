"""Workers that are killed, crash or hang: no job is lost, and none ends twice."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from jobstore.records import Submission
from schemas.jobs import JobState
from schemas.models import PublishedModel
from tests.faults.injected import HANGS, KILLS
from tests.wait import until
from tests.workers.jobs import resolved
from tests.workers.tiny import photo

pytestmark = [pytest.mark.faults, pytest.mark.slow]


def mixed(model: PublishedModel, number: int) -> Submission:
    """Return the submission `number` of a mix of fast and slow jobs, all different."""
    if number % 6 == 5:
        return resolved("filters", model, layer="relu", channels=[0, 3], size=32, steps=60, seed=number)
    return resolved("grad_cam" if number % 2 else "predict", model, photo(number))


async def test_jobs_of_a_killed_worker_are_taken_over_and_end_once(make_stack):
    kills = 4
    stack = make_stack(max_attempts=kills + 2)
    model = await stack.model()
    ids: list[str] = []
    for kill in range(kills):
        ids += [await stack.submit(mixed(model, number)) for number in range(15 * kill, 15 * kill + 15)]
        await until(stack.running)
        stack.kill_worker()
    records = await stack.ended(ids)
    assert Counter(record.state for record in records) == {JobState.SUCCEEDED: 15 * kills}
    assert max(record.attempts for record in records) > 1  # at least one job was running when its worker was killed


async def test_a_job_that_kills_its_worker_fails_alone(make_stack):
    stack = make_stack("tests.faults.injected_workers")
    model = await stack.model()
    ids = [await stack.submit(resolved("predict", model, photo(number))) for number in range(12)]
    poison = await stack.submit(resolved("predict", model, photo(KILLS)))
    ids += [await stack.submit(resolved("predict", model, photo(number))) for number in range(12, 24)]
    (record,) = await stack.ended([poison])
    assert record.error is not None
    assert (record.state, record.error.code, record.attempts) == (JobState.FAILED, "worker_crashed", 3)
    assert Counter(each.state for each in await stack.ended(ids)) == {JobState.SUCCEEDED: 24}


async def test_a_worker_that_hangs_is_replaced_and_its_jobs_are_run_again(make_stack):
    stack = make_stack("tests.faults.injected_workers", device_timeout=3)
    model = await stack.model()
    await stack.ended([await stack.submit(resolved("predict", model, photo(1)))])  # a first call of a kind may take long
    hung = stack.worker_pid
    ids = [await stack.submit(resolved("predict", model, photo(number))) for number in (HANGS, 2, 3)]
    records = await stack.ended(ids)
    assert [record.state for record in records] == [JobState.SUCCEEDED] * 3
    assert records[0].attempts == 2
    assert [entry["pid"] for entry in stack.said("worker hangs: killed")] == [hung]


async def test_a_kill_is_charged_to_the_job_on_the_device_and_to_no_job_that_waits(make_stack):
    stack = make_stack("tests.faults.injected_workers", lease=60, heartbeat=5)
    model = await stack.model()
    on_device = await stack.submit(resolved("predict", model, photo(HANGS)))
    await until((stack.folder / "hung").exists)
    waiting = [await stack.submit(resolved("predict", model, photo(number))) for number in range(12)]

    async def all_are_held() -> bool:
        return await stack.running() == 13

    await until(all_are_held)
    stack.kill_worker()
    records = await stack.ended([on_device, *waiting])
    assert [(record.state, record.attempts) for record in records] == [(JobState.SUCCEEDED, 2)] + 12 * [(JobState.SUCCEEDED, 1)]
    (given_back,) = stack.said("a dead worker's executions were given back")
    assert (given_back["charged"], given_back["spared"]) == (1, 12)


async def test_a_killed_supervisor_leaves_no_worker_and_loses_no_job(make_stack):
    stack = make_stack()
    model = await stack.model()
    ids = [await stack.submit(mixed(model, number)) for number in range(18)]
    await until(stack.running)
    worker = stack.worker_pid
    stack.supervisor.kill()
    stack.supervisor.wait()
    await until(lambda: not _alive(worker))
    stack.start_workers()
    assert Counter(record.state for record in await stack.ended(ids)) == {JobState.SUCCEEDED: 18}


async def test_sigterm_finishes_or_gives_back_and_wastes_no_attempt(make_stack):
    stack = make_stack(worker_drain=1)
    model = await stack.model()
    fast = [await stack.submit(resolved("predict", model, photo(number))) for number in range(10)]
    slow = [
        await stack.submit(resolved("filters", model, layer="relu", channels=[0], size=96, steps=600, seed=number)) for number in range(2)
    ]

    async def slow_ones_run() -> bool:
        depth = await stack.store.queue.depth()
        return depth.lanes["slow"].running > 0

    await until(slow_ones_run)
    worker = stack.worker_pid
    assert stack.stop_workers() == 0
    assert not _alive(worker)
    assert await stack.running() == 0
    assert await stack.store.workers.alive() == []
    stack.start_workers()
    records = await stack.ended([*fast, *slow])
    assert [(record.state, record.attempts) for record in records] == [(JobState.SUCCEEDED, 1)] * 12


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIG_DFL)
    except ProcessLookupError:
        return False
    return True
