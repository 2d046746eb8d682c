"""Submissions that are repeated with an idempotency key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from jobstore.store import JobStore
from schemas.errors import IdempotencyKeyReused, QueueFull
from schemas.jobs import JobState
from tests.jobstore.samples import run_one, submission
from tests.redis_servers import open_redis


def keys(url: str) -> set[bytes]:
    with open_redis(url) as redis:
        return set(redis.scan_iter(count=1000))


class TestIdempotency:
    async def test_the_same_key_and_body_answers_the_same_job(self, store: JobStore):
        first = await store.jobs.submit(submission(1, idempotency_key="k", body_digest="d"))
        second = await store.jobs.submit(submission(1, idempotency_key="k", body_digest="d"))
        assert (first.created, second.created) == (True, False)
        assert first.job.id == second.job.id
        await run_one(store)
        third = await store.jobs.submit(submission(1, idempotency_key="k", body_digest="d"))
        assert (third.job.id, third.job.state, third.job.cached) == (first.job.id, JobState.SUCCEEDED, False)

    async def test_another_body_is_refused(self, store: JobStore):
        await store.jobs.submit(submission(1, idempotency_key="k", body_digest="d"))
        with pytest.raises(IdempotencyKeyReused):
            await store.jobs.submit(submission(2, idempotency_key="k", body_digest="e"))
        assert len(await store.queue.claim("w1", "fast", 5, 0)) == 1

    async def test_keys_belong_to_their_owner(self, store: JobStore):
        first = await store.jobs.submit(submission(1, idempotency_key="k", body_digest="d"))
        other = await store.jobs.submit(submission(2, owner="bob", idempotency_key="k", body_digest="e"))
        assert other.created
        assert first.job.id != other.job.id

    async def test_fifty_at_once_make_one_job(self, store: JobStore):
        given = submission(1, idempotency_key="k", body_digest="d")
        submitted = await asyncio.gather(*(store.jobs.submit(given) for _ in range(50)))
        assert len({each.job.id for each in submitted}) == 1
        assert sum(each.created for each in submitted) == 1
        jobs, _ = await store.jobs.page("ann")
        assert len(jobs) == 1

    async def test_a_refusal_does_not_use_up_the_key(self, make_store: Callable[..., JobStore], redis_url: str):
        store = make_store(max_queued=1)
        blocking = (await store.jobs.submit(submission(1))).job
        with pytest.raises(QueueFull):
            await store.jobs.submit(submission(2, idempotency_key="k", body_digest="d"))
        assert not any(b"idempotency" in key for key in keys(redis_url))
        await store.jobs.cancel(blocking.id, "ann")
        assert (await store.jobs.submit(submission(3, idempotency_key="k", body_digest="e"))).created

    async def test_a_reservation_is_taken_over_if_its_process_died(self, store: JobStore, monkeypatch: pytest.MonkeyPatch):
        given = submission(1, idempotency_key="k", body_digest="d")
        with monkeypatch.context() as patch:

            async def die(*_: object) -> None:
                raise RuntimeError("the process ends here")

            patch.setattr(store.jobs._submitter, "_submit_once", die)
            with pytest.raises(RuntimeError):
                await store.jobs.submit(given)
        first, second = await store.jobs.submit(given), await store.jobs.submit(given)
        assert (first.created, second.created) == (True, False)
        assert first.job.id == second.job.id
