"""The account of how fast work drains, from which `Retry-After` is reckoned, and the quotas of callers."""

from __future__ import annotations

import math

import pytest

from jobstore.quotas import Quota
from jobstore.store import JobStore
from tests.jobstore.samples import result, submission
from tests.redis_servers import open_redis


async def test_ended_work_is_counted_with_the_time_that_it_took(store: JobStore, redis_url: str) -> None:
    """A job that was submitted 20 s ago ends 8 s after the last one: one job in 8 s is added to what is left of one job in 4 s."""
    job = (await store.jobs.submit(submission(owner="ada", caller="ada"))).job
    (execution,) = await store.queue.claim("w", "fast", 1, 1.0)
    with open_redis(redis_url) as redis:
        seconds, microseconds = redis.time() if not isinstance(redis.time(), dict) else next(iter(redis.time().values()))
        now = seconds * 1000 + microseconds // 1000
        prefix = f"convscope:{{{execution.shard}}}:"
        redis.hset(f"{prefix}job:{job.id}", "created_at", now - 20_000)
        redis.hset(f"{prefix}drained:ada", mapping={"last": now - 8000, "count": 1, "busy": 4000})
        assert await store.queue.complete(execution, result())
        fields = {name.decode(): float(value) for name, value in redis.hgetall(f"{prefix}drained:ada").items()}
        kept = math.exp(-8 / 60)
        assert fields["count"] == pytest.approx(kept + 1, rel=0.02)
        assert fields["busy"] == pytest.approx(4000 * kept + 8000, rel=0.1)
        every = {name.decode(): float(value) for name, value in redis.hgetall(f"{prefix}drained:all").items()}
        assert every["count"] == 1
        assert every["busy"] < 5000, "the execution was queued a moment ago"
        assert 0 < redis.ttl(f"{prefix}drained:ada") <= 600


async def test_canceled_work_does_not_count_as_drained(store: JobStore, redis_url: str) -> None:
    job = (await store.jobs.submit(submission(owner="ada", caller="ada"))).job
    await store.jobs.cancel(job.id, "ada")
    with open_redis(redis_url) as redis:
        assert not list(redis.keys("*drained*"))


async def test_a_quota_fills_evenly_and_can_be_used_at_once(store: JobStore) -> None:
    """Four in two seconds: one comes back every half second."""
    quota = Quota("reads", 4, 2)
    taken = [await store.quotas.take(quota, "ada") for _ in range(6)]
    assert [each.allowed for each in taken] == [True] * 4 + [False] * 2
    assert [each.remaining for each in taken[:4]] == [3, 2, 1, 0]
    assert (taken[4].retry_after, taken[4].remaining, taken[0].whole_after, taken[4].whole_after) == (1, 0, 1, 2)
    assert (await store.quotas.take(quota, "bob")).remaining == 3
    assert (await store.quotas.take(Quota("submissions", 4, 2), "ada")).remaining == 3
