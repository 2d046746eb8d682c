"""Leases that run out or are renewed, and executions that are given back."""

from __future__ import annotations

from collections.abc import Callable

from jobstore.keys import key
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.jobs import JobError, JobState
from tests.jobstore.samples import LEASE, claim_one, result, state_of, submission, taken_over
from tests.redis_servers import open_redis
from tests.wait import until

ERROR = JobError(code="no_gradient", detail="no path from the class score", retryable=False)


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
        with open_redis(store_settings.redis_url or "") as redis:
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

    async def test_a_renewal_after_the_end_finds_nothing_lost(self, store: JobStore):
        """A worker renews its claims while it stores a result, so the renewal may come after the end."""
        for number in range(2):
            await store.jobs.submit(submission(number))
        succeeded, failed = await store.queue.claim("w1", "fast", 2, 0)
        await store.queue.complete(succeeded, result())
        await store.queue.fail(failed, ERROR)
        assert await store.queue.renew("w1", [succeeded, failed]) == []

    async def test_a_worker_learns_that_its_job_has_used_up_its_attempts(self, make_store: Callable[..., JobStore]):
        once = make_store(lease=LEASE, max_attempts=1)
        job = (await once.jobs.submit(submission(1))).job
        execution = await claim_one(once, "slow")

        async def given_up() -> bool:
            assert await once.queue.claim("w2", "fast", 1, LEASE) == []
            return await state_of(once, job.id) is JobState.FAILED

        await until(given_up)
        assert await once.queue.renew("slow", [execution]) == [execution]
        assert not await once.queue.fail(execution, ERROR)

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
    async def test_a_released_execution_is_first_in_the_queue_and_costs_no_attempt(self, store: JobStore):
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

    async def test_a_worker_cannot_write_after_a_release(self, store: JobStore):
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
