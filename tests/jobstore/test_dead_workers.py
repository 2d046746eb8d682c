"""The executions that a dead worker held are given back at once. The attempt counts only for those that it worked on."""

from __future__ import annotations

import pytest

from jobstore.store import JobStore
from jobstore.workers import HeldAtDeath
from schemas.jobs import JobState
from tests.jobstore.samples import claim_one, heard, result, submission


async def _attempts(store: JobStore, job_id: str) -> tuple[str, int]:
    record = await store.jobs.read(job_id, "ann")
    assert record is not None
    return str(record.state), record.attempts


async def test_only_what_was_at_work_is_charged(store: JobStore) -> None:
    """The worker held five jobs. It worked on the second, had ended the fourth, and had not begun the others."""
    ids = [(await store.jobs.submit(submission(number, image=bytes([number])))).job.id for number in range(5)]
    held = {each.key: each for each in await store.queue.claim("w1", "fast", 5, 0)}
    await store.queue.complete(held[ids[3]], result())
    assert await store.workers.release_held("w1", [ids[1], ids[3]]) == HeldAtDeath(spared=3, charged=1)
    assert [await _attempts(store, job_id) for job_id in ids] == [
        ("queued", 0),
        ("queued", 1),
        ("queued", 0),
        ("succeeded", 1),
        ("queued", 0),
    ]
    again = {each.key: each for each in await store.queue.claim("w2", "fast", 5, 0)}
    assert {ids.index(each.key): (each.attempt, each.spared, each.claim) for each in again.values()} == {
        0: (1, 1, 2),
        1: (2, 0, 2),
        2: (1, 1, 2),
        4: (1, 1, 2),
    }
    assert not await store.queue.complete(held[ids[0]], result(b"of a worker that was thought dead"))
    assert await store.queue.complete(again[ids[0]], result(b"in time"))
    assert await store.artifacts.read(ids[0], "ann", "overlay") == b"in time"


async def test_what_is_given_back_is_first_in_its_queue_and_its_callers_are_told(store: JobStore) -> None:
    first, second = [(await store.jobs.submit(submission(number, image=b"of one shard"))).job.id for number in range(2)]
    held = await claim_one(store, "w1")
    await store.queue.progress(held, 1, 2)
    await store.workers.release_held("w1", [first])
    record = await store.jobs.read(first, "ann")
    assert record is not None
    assert (record.state, record.queue_position, record.progress) == (JobState.QUEUED, 0, None)
    assert (await claim_one(store, "w2")).key == first
    await store.jobs.cancel(first, "ann")
    states = [data for _, kind, data in await heard(store.jobs.events(first, "ann")) if kind == "status"]
    assert ["running" in each for each in states] == [False, True, False, True]
    assert (await claim_one(store, "w2")).key == second


async def test_a_repetition_and_a_late_call_change_nothing(store: JobStore) -> None:
    ids = [(await store.jobs.submit(submission(number, image=bytes([number])))).job.id for number in range(2)]
    await store.queue.claim("w1", "fast", 2, 0)
    assert await store.workers.release_held("w1", ids[:1]) == HeldAtDeath(spared=1, charged=1)
    assert await store.workers.release_held("w1", ids[:1]) == HeldAtDeath(spared=0, charged=0)
    held = await store.queue.claim("w2", "fast", 2, 0)
    assert await store.workers.release_held("w1", ids) == HeldAtDeath(spared=0, charged=0)
    assert await store.workers.release_held("nobody", ids) == HeldAtDeath(spared=0, charged=0)
    assert [await store.queue.complete(each, result()) for each in held] == [True, True]


async def test_a_job_that_was_at_work_at_three_deaths_fails_and_one_that_was_spared_at_five_does_not(store: JobStore) -> None:
    poison, innocent = [(await store.jobs.submit(submission(number, image=b"of one shard"))).job.id for number in range(2)]
    for death in range(5):
        held = {each.key: each for each in await store.queue.claim(f"w{death}", "fast", 2, 0)}
        assert (held[innocent].attempt, held[innocent].spared) == (1, death)
        assert held[poison].attempt == death + 1 if death < 3 else poison not in held
        await store.workers.release_held(f"w{death}", [poison])
    record = await store.jobs.read(poison, "ann")
    assert record is not None
    assert record.error is not None
    assert (record.state, record.error.code, record.attempts) == (JobState.FAILED, "worker_crashed", 3)
    assert await store.queue.complete(await claim_one(store), result())
    assert await _attempts(store, innocent) == ("succeeded", 1)


@pytest.mark.parametrize("count", [100, 230])
async def test_any_number_of_executions_is_given_back(store: JobStore, count: int) -> None:
    for number in range(count):
        await store.jobs.submit(submission(number, image=b"of one shard", caller=None))
    await store.queue.claim("w1", "fast", count, 0)
    assert await store.workers.release_held("w1", []) == HeldAtDeath(spared=count, charged=0)
    assert len(await store.queue.claim("w2", "fast", count, 0)) == count


async def test_both_lanes_and_all_priorities_are_given_back(store: JobStore) -> None:
    lanes = [(lane, priority) for lane in ("fast", "slow") for priority in ("high", "normal", "low")]
    for number, (lane, priority) in enumerate(lanes):
        await store.jobs.submit(submission(number, image=bytes([number]), lane=lane, priority=priority))
    for lane in ("fast", "slow"):
        await store.queue.claim("w1", lane, 3, 0)
    assert await store.workers.release_held("w1", []) == HeldAtDeath(spared=6, charged=0)
