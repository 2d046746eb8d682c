"""The keys that a shard has once live on while the shard is used or swept; see `keep_shared.lua`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from tests.jobstore.samples import claim_one, run_one, submission
from tests.redis_servers import is_kept_by_the_sweep, open_redis
from tests.wait import until


def shared_keys(redis: Any) -> list[str]:
    return [name for name in map(bytes.decode, redis.scan_iter()) if is_kept_by_the_sweep(name)]


async def test_the_sweep_renews_the_lives_of_all_keys_of_a_shard(store: JobStore, redis_url: str, store_settings: StoreSettings) -> None:
    await store.jobs.submit(submission(1))
    await run_one(store)
    canceled = (await store.jobs.submit(submission(2))).job
    await store.queue.release(await claim_one(store))
    await store.jobs.cancel(canceled.id, "ann")
    await store.jobs.submit(submission(3))
    await claim_one(store)
    await store.jobs.submit(submission(4))
    with open_redis(redis_url) as redis:
        names = shared_keys(redis)
        kinds = {name.split(":", 2)[2] for name in names}
        assert kinds >= {
            "files:all", "stored:all", "ended:all", "drained:all", "announcements:all", "announcements:changes",
            "running:fast", "wakeup:fast", "queue:fast:normal", "waiting:fast:normal",
        }  # fmt: skip
        for name in names:
            redis.persist(name)
        await store.sweep()
        least = timedelta(seconds=2 * store_settings.result_ttl, days=30) - timedelta(minutes=1)
        assert min(redis.pttl(name) for name in shared_keys(redis)) > least / timedelta(milliseconds=1)


async def test_the_first_submission_gives_them_lives_without_a_worker(store: JobStore, redis_url: str) -> None:
    await store.jobs.submit(submission(1))
    with open_redis(redis_url) as redis:
        await until(lambda: all(redis.pttl(name) > 0 for name in shared_keys(redis)))


async def test_a_queue_that_is_used_without_workers_never_ends(store: JobStore, redis_url: str) -> None:
    """Its life is renewed by those who submit, because nobody sweeps without a worker."""
    await store.jobs.submit(submission(1))
    with open_redis(redis_url) as redis:
        [queue] = redis.scan_iter("*:queue:*")
        await until(lambda: redis.pttl(queue) > 0)
        redis.pexpire(queue, 60_000)
        number = 1

        async def outlives() -> bool:
            nonlocal number
            number += 1
            await store.jobs.submit(submission(number))
            return redis.pttl(queue) > 60_000

        await until(outlives)
