from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from redis import Redis

from jobstore.keys import key
from jobstore.records import Execution
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.jobs import JobError, JobState
from tests.jobstore.samples import claim_one, result, run_one, submission
from tests.wait import until

LEASE = 0.3
ERROR = JobError(code="no_gradient", detail="no path from the class score", retryable=False)


@pytest.fixture
def short(make_store: Callable[..., JobStore]) -> JobStore:
    """A store whose leases run out soon."""
    return make_store(lease=LEASE)


async def state_of(store: JobStore, job_id: str) -> JobState:
    job = await store.jobs.read(job_id, "ann")
    assert job is not None
    return job.state


async def taken_over(store: JobStore, worker: str) -> Execution:
    """The execution that `worker` takes over from one that does not renew."""
    found: list[Execution] = []

    async def claimed() -> bool:
        found.extend(await store.queue.claim(worker, "fast", 1, LEASE))
        return bool(found)

    await until(claimed)
    return found[0]


async def test_high_before_normal_before_low_and_first_come_first_served(store: JobStore):
    image = b"of one shard"
    for number, priority in enumerate(("low", "normal", "high", "normal", "high", "low")):
        await store.jobs.submit(submission(number, priority=priority, image=image))
    first = await store.queue.claim("w1", "fast", 4, 0)
    rest = await store.queue.claim("w2", "fast", 4, 0)
    assert [int(each.params[15]) for each in first] == [2, 4, 1, 3]
    assert [int(each.params[15]) for each in rest] == [0, 5]


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


async def test_nothing_is_claimed_within_the_block_of_an_empty_queue(store: JobStore):
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


class TestLeases:
    async def test_an_execution_whose_worker_is_silent_is_taken_over(self, short: JobStore):
        job = (await short.jobs.submit(submission(1))).job
        first = await claim_one(short, "dead")
        started = (await short.jobs.read(job.id, "ann")).started_at  # type: ignore[union-attr]
        second = await taken_over(short, "heir")
        assert (second.key, second.attempt) == (first.key, 2)
        after = await short.jobs.read(job.id, "ann")
        assert after is not None
        assert (after.state, after.attempts, after.started_at) == (JobState.RUNNING, 2, started)
        await short.queue.complete(second, result())

    async def test_a_renewed_lease_holds(self, short: JobStore):
        job = (await short.jobs.submit(submission(1))).job
        execution = await claim_one(short, "w1")
        for _ in range(8):
            assert await short.queue.renew("w1", [execution]) == []
            assert await short.queue.claim("w2", "fast", 1, LEASE / 3) == []
        assert (await short.jobs.read(job.id, "ann")).attempts == 1  # type: ignore[union-attr]
        assert await short.queue.complete(execution, result())

    async def test_a_renewal_counts_no_delivery(self, short: JobStore, store_settings: StoreSettings):
        await short.jobs.submit(submission(1))
        execution = await claim_one(short, "w1")
        for _ in range(3):
            await short.queue.renew("w1", [execution])
        with Redis.from_url(store_settings.redis_url or "") as redis:
            [entry] = redis.xpending_range(key(execution.shard, "queue", "fast:normal"), "workers", "-", "+", 10)
        assert entry["times_delivered"] == 1

    async def test_a_former_holder_can_write_nothing(self, short: JobStore):
        job = (await short.jobs.submit(submission(1))).job
        former = await claim_one(short, "w1")
        holder = await taken_over(short, "w2")
        assert await short.queue.renew("w1", [former]) == [former]
        assert not await short.queue.progress(former, 1, 10)
        assert not await short.queue.complete(former, result(b"late"))
        assert not await short.queue.fail(former, ERROR)
        assert not await short.queue.release(former)
        assert await state_of(short, job.id) is JobState.RUNNING
        assert (await short.jobs.read(job.id, "ann")).progress is None  # type: ignore[union-attr]
        assert await short.queue.complete(holder, result(b"in time"))
        assert not await short.queue.complete(former, result(b"late"))
        assert not await short.queue.fail(former, ERROR)
        assert await short.artifacts.read(job.id, "ann", "overlay") == b"in time"

    async def test_renewing_many_tells_which_are_lost(self, store: JobStore):
        jobs = [(await store.jobs.submit(submission(number, image=bytes([number])))).job for number in range(6)]
        executions = await store.queue.claim("w1", "fast", 6, 0)
        await store.jobs.cancel(jobs[2].id, "ann")
        await store.jobs.cancel(jobs[5].id, "ann")
        lost = await store.queue.renew("w1", executions)
        assert {each.key for each in lost} == {jobs[2].id, jobs[5].id}

    async def test_a_job_that_kills_its_workers_fails_after_three_attempts(self, short: JobStore):
        poison = (await short.jobs.submit(submission(1))).job
        for attempt in (1, 2, 3):
            assert (await taken_over(short, f"victim{attempt}")).attempt == attempt
        healthy = (await short.jobs.submit(submission(2, priority="low"))).job

        async def failed() -> bool:
            for execution in await short.queue.claim("w4", "fast", 1, LEASE):
                assert execution.key == healthy.id
                await short.queue.complete(execution, result())
            return (await state_of(short, poison.id)).ended

        await until(failed)
        job = await short.jobs.read(poison.id, "ann")
        assert job is not None
        assert (job.state, job.attempts) == (JobState.FAILED, 3)
        assert job.error is not None
        assert (job.error.code, job.error.retryable) == ("worker_crashed", False)
        assert "3" in job.error.detail
        assert await short.queue.claim("w5", "fast", 1, 2 * LEASE) == []

    async def test_an_abandoned_execution_comes_before_new_ones(self, short: JobStore):
        old = (await short.jobs.submit(submission(1, priority="low", image=b"of one shard"))).job
        await claim_one(short, "dead")
        await short.jobs.submit(submission(2, priority="high", image=b"of one shard"))
        with_lease = await claim_one(short, "w2")
        assert with_lease.key != old.id

        async def abandoned() -> bool:
            await short.jobs.submit(submission(3, priority="high", image=b"of one shard"))
            claimed = await short.queue.claim("w2", "fast", 1, LEASE)
            if claimed[0].key != old.id:
                await short.queue.complete(claimed[0], result())
            return claimed[0].key == old.id

        await until(abandoned)


class TestRelease:
    async def test_given_back_is_first_in_the_queue_and_no_attempt(self, store: JobStore):
        first = (await store.jobs.submit(submission(1, image=b"of one shard"))).job
        second = (await store.jobs.submit(submission(2, image=b"of one shard"))).job
        for _ in range(5):
            execution = await claim_one(store)
            assert (execution.key, execution.attempt) == (first.id, 1)
            await store.queue.progress(execution, 1, 2)
            assert await store.queue.release(execution)
            job = await store.jobs.read(first.id, "ann")
            assert job is not None
            assert (job.state, job.attempts, job.queue_position) == (JobState.QUEUED, 0, 0)
            assert (job.started_at, job.progress) == (None, None)
            assert (await store.jobs.read(second.id, "ann")).queue_position == 1  # type: ignore[union-attr]
        assert not await store.queue.release(execution)

    async def test_who_gave_it_back_has_no_more_say(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        former = await claim_one(store, "w1")
        await store.queue.release(former)
        holder = await claim_one(store, "w1")
        assert former.attempt == holder.attempt
        assert not await store.queue.complete(former, result(b"late"))
        assert await store.queue.renew("w1", [former, holder]) == [former]
        assert await state_of(store, job.id) is JobState.RUNNING

    async def test_releases_do_not_shield_a_poisonous_job(self, short: JobStore):
        job = (await short.jobs.submit(submission(1))).job
        for attempt in (1, 2, 3):
            execution = await taken_over(short, "w1")
            assert execution.attempt == attempt
            await short.queue.release(execution)
            assert (await claim_one(short, "w1")).attempt == attempt

        async def failed() -> bool:
            assert await short.queue.claim("w2", "fast", 1, LEASE) == []
            return (await state_of(short, job.id)).ended

        await until(failed)
        assert await state_of(short, job.id) is JobState.FAILED


class TestEnds:
    async def test_a_failure_is_shown(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        execution = await claim_one(store)
        assert await store.queue.fail(execution, ERROR)
        failed = await store.jobs.read(job.id, "ann")
        assert failed is not None
        assert (failed.state, failed.error, failed.artifacts, failed.facts) == (JobState.FAILED, ERROR, (), None)
        assert failed.finished_at is not None

    async def test_an_end_said_twice_is_the_same_end(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        execution = await claim_one(store)
        assert await store.queue.complete(execution, result())
        assert await store.queue.complete(execution, result()), "a repetition after a lost answer"
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
        with Redis.from_url(store_settings.redis_url or "") as redis:
            for name in redis.scan_iter("*:queue:*"):
                assert redis.xlen(name) == 0
                assert redis.xpending(name, "workers")["pending"] == 0
            for pattern in ("*:waiting:*", "*:running:*", "*:active:*"):
                assert list(redis.scan_iter(pattern)) == []
        depth = await store.queue.depth()
        assert [(lane.queued, lane.running, lane.oldest) for lane in depth.lanes.values()] == [(0, 0, 0), (0, 0, 0)]


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


async def test_consumers_of_workers_that_are_gone_are_removed(short: JobStore, store_settings: StoreSettings):
    def consumers() -> set[str]:
        with Redis.from_url(store_settings.redis_url or "") as redis:
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
    assert consumers() == {"stays"}, "what it holds must be found by others"
    await short.queue.complete(await taken_over(short, "heir"), result())

    async def swept() -> bool:
        await short.sweep()
        return not consumers()

    await until(swept)
