"""Claiming executions in order, ending them, and the depth of the queues."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.jobs import JobError, JobState
from tests.jobstore.samples import claim_one, result, run_one, state_of, submission
from tests.redis_servers import each_server, open_redis
from tests.wait import until

ERROR = JobError(code="no_gradient", detail="no path from the class score", retryable=False)


async def test_high_before_normal_before_low_and_first_come_first_served(store: JobStore):
    image = b"of one shard"
    for number, priority in enumerate(("low", "normal", "high", "normal", "high", "low")):
        await store.jobs.submit(submission(number, priority=priority, image=image))
    first = await store.queue.claim("w1", "fast", 4, 0)
    rest = await store.queue.claim("w2", "fast", 4, 0)
    assert [int(each.params[15]) for each in first] == [2, 4, 1, 3]
    assert [int(each.params[15]) for each in rest] == [0, 5]


async def test_the_version_of_the_model_travels_with_the_work(store: JobStore):
    await store.jobs.submit(submission(1, model_digest="d3b0"))
    await store.jobs.submit(submission(2))
    assert [each.model_digest for each in await store.queue.claim("w1", "fast", 2, 0)] == ["d3b0", ""]


async def test_lanes_are_apart(store: JobStore):
    await store.jobs.submit(submission(1, lane="slow"))
    assert await store.queue.claim("w1", "fast", 1, 0) == []
    assert (await claim_one(store, lane="slow")).lane == "slow"


async def test_a_waiting_worker_wakes_for_a_new_job(store: JobStore):
    claiming = asyncio.create_task(store.queue.claim("w1", "fast", 1, 30))
    await store.jobs.submit(submission(1))
    [execution] = await asyncio.wait_for(claiming, 10)
    assert execution.params == '{"class_index":1}'


async def test_a_waiting_worker_wakes_for_one_given_back(store: JobStore):
    await store.jobs.submit(submission(1))
    execution = await claim_one(store)
    claiming = asyncio.create_task(store.queue.claim("w2", "fast", 1, 30))
    await store.queue.release(execution)
    assert len(await asyncio.wait_for(claiming, 10)) == 1


async def test_every_execution_goes_to_one_worker(store: JobStore):
    for number in range(40):
        await store.jobs.submit(submission(number, image=bytes([number])))
    claims = await asyncio.gather(*(store.queue.claim(f"w{n}", "fast", 7, 0) for n in range(8)))
    assert sorted(each.key for claimed in claims for each in claimed) == sorted(job.id for job in (await store.jobs.page("ann"))[0])


async def test_claiming_from_an_empty_queue_returns_nothing_after_the_block(store: JobStore):
    assert await store.queue.claim("w1", "fast", 1, 0.05) == []


async def test_a_canceled_claim_gives_back_what_it_had_taken(store: JobStore, monkeypatch: pytest.MonkeyPatch):
    job = (await store.jobs.submit(submission(1))).job
    claim_from = store.queue._claim_from
    taken = asyncio.Event()

    async def slow_answer(*arguments: object) -> object:
        answer = await claim_from(*arguments)  # type: ignore[arg-type]
        taken.set()
        await asyncio.sleep(0)
        return answer

    monkeypatch.setattr(store.queue, "_claim_from", slow_answer)
    claiming = asyncio.create_task(store.queue.claim("w1", "fast", 1, 0))
    await taken.wait()
    claiming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claiming
    monkeypatch.undo()
    assert await state_of(store, job.id) is JobState.QUEUED
    assert (await claim_one(store, "w2")).attempt == 1


async def test_queue_depth(store: JobStore):
    for number in range(3):
        await store.jobs.submit(submission(number, image=bytes([number])))
    await store.jobs.submit(submission(9, lane="slow"))
    await claim_one(store)
    lanes = (await store.queue.depth()).lanes
    assert (lanes["fast"].queued, lanes["fast"].running) == (2, 1)
    assert (lanes["slow"].queued, lanes["slow"].running) == (1, 0)

    async def older() -> bool:
        return (await store.queue.depth()).lanes["slow"].oldest > 0.05

    await until(older)


class TestEnds:
    async def test_a_failure_is_shown(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        execution = await claim_one(store)
        assert await store.queue.fail(execution, ERROR)
        failed = await store.jobs.read(job.id, "ann")
        assert failed is not None
        assert (failed.state, failed.error, failed.artifacts, failed.facts) == (JobState.FAILED, ERROR, (), None)
        assert failed.finished_at is not None

    async def test_repeating_an_end_changes_nothing(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        execution = await claim_one(store)
        assert await store.queue.complete(execution, result())
        assert await store.queue.complete(execution, result()), "a worker repeats the call if the answer was lost"
        assert not await store.queue.fail(execution, ERROR)
        assert await state_of(store, job.id) is JobState.SUCCEEDED

    async def test_ended_work_leaves_no_queue_behind(self, store: JobStore, store_settings: StoreSettings):
        for number in range(4):
            await store.jobs.submit(submission(number, image=bytes([number])))
        await run_one(store)
        await store.queue.fail(await claim_one(store), ERROR)
        for job in (await store.jobs.page("ann"))[0]:
            if not job.state.ended:
                await store.jobs.cancel(job.id, "ann")
        with open_redis(store_settings.redis_url or "") as redis:
            for name in redis.scan_iter("*:queue:*"):
                assert redis.xlen(name) == 0
                assert redis.xpending(name, "workers")["pending"] == 0
            for pattern in ("*:waiting:*", "*:running:*", "*:active:*"):
                assert list(redis.scan_iter(pattern)) == []
        depth = await store.queue.depth()
        assert [(lane.queued, lane.running, lane.oldest) for lane in depth.lanes.values()] == [(0, 0, 0), (0, 0, 0)]


async def test_a_wakeup_of_one_shard_leaves_the_reads_of_the_others(make_store: Callable[..., JobStore], redis_url: str, place: str):
    """The wake-ups of an idle worker open no new connections. A read that was canceled would close its connection."""
    if place == "1 shard":
        pytest.skip("There is only one read.")
    store = make_store()
    with each_server(redis_url) as servers:

        def total(section: str, name: str) -> int:
            return sum(server.info(section)[name] for server in servers)

        async def wake(number: int) -> None:
            claiming = asyncio.create_task(store.queue.claim("w1", "fast", 1, 20))
            await until(lambda: total("clients", "blocked_clients") == 3)
            await store.jobs.submit(submission(number, image=None))
            (execution,) = await claiming
            assert await store.queue.complete(execution, result())

        await wake(0)
        await wake(1)
        before = total("stats", "total_connections_received")
        for number in range(2, 12):
            await wake(number)
        # If each wake-up canceled the reads of the two other shards, there would be twenty. A busy machine may lose one or another.
        assert total("stats", "total_connections_received") - before <= 5
