"""The results of one-line requests, and the events of jobs that have ended, live shorter than other results."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from jobstore.store import JobStore
from schemas.jobs import JobState
from tests.jobstore.samples import heard, run_one, submission
from tests.redis_servers import open_redis


async def test_a_short_lived_job_lives_for_one_line_ttl_after_its_end(make_store: Callable[..., JobStore]):
    store = make_store(one_line_ttl=600)
    job = (await store.jobs.submit(submission(1, short_lived=True))).job
    assert job.expires_at - job.created_at == timedelta(hours=24), "while it waits, it lives as long as others"
    await run_one(store)
    ended = await store.jobs.read(job.id, "ann")
    assert ended is not None
    assert ended.finished_at is not None
    assert ended.expires_at - ended.finished_at == timedelta(seconds=600)


async def test_a_lasting_job_keeps_a_shared_result_longer(make_store: Callable[..., JobStore], redis_url: str):
    store = make_store(one_line_ttl=600)
    short = (await store.jobs.submit(submission(1, short_lived=True))).job
    await run_one(store)
    lasting = (await store.jobs.submit(submission(1))).job
    assert lasting.cached
    with open_redis(redis_url) as redis:
        [(_, end)] = [pair for name in redis.scan_iter("*:stored:all") for pair in redis.zrange(name, 0, -1, withscores=True)]
        lives = {kind: redis.ttl(next(redis.scan_iter(f"*:{kind}:*"))) for kind in ("execution", "result", "held", "params", "latest")}
    assert round(end / 1000) == round(lasting.expires_at.timestamp())
    assert min(lives.values()) > 86_000
    assert (await store.jobs.read(short.id, "ann")).expires_at < lasting.expires_at  # type: ignore[union-attr]


async def test_the_end_is_told_after_the_events_have_been_dropped(store: JobStore, redis_url: str):
    job = (await store.jobs.submit(submission(1))).job
    await run_one(store)
    with open_redis(redis_url) as redis:
        [name] = redis.scan_iter("*:events:*")
        assert 0 < redis.pttl(name) <= 60_000
        redis.delete(name)
    assert await heard(store.jobs.events(job.id, "ann")) == [(3, "done", '{"state":"succeeded"}')]
    assert await heard(store.jobs.events(job.id, "ann", after=2)) == [(3, "done", '{"state":"succeeded"}')]
    assert await heard(store.jobs.events(job.id, "ann", after=3)) == []


async def test_a_canceled_job_keeps_what_it_shows_when_its_execution_is_deleted(store: JobStore):
    mine = (await store.jobs.submit(submission(1))).job
    theirs = (await store.jobs.submit(submission(1, owner="bob"))).job
    await store.jobs.cancel(mine.id, "ann")
    await run_one(store)
    assert await store.jobs.delete(theirs.id, "bob")
    kept = await store.jobs.read(mine.id, "ann")
    assert kept is not None
    assert (kept.state, kept.method, kept.model, kept.params) == (JobState.CANCELED, "grad_cam", "tiny", {"class_index": 1})
