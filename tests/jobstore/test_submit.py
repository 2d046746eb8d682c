"""Submitting jobs: shared work, cached results, limits and priorities."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from jobstore.store import JobStore
from schemas.errors import CallerLimit, QueueFull
from schemas.jobs import JobError, JobState
from tests.jobstore.samples import PHOTO, claim_one, result, run_one, submission
from tests.redis_servers import open_redis
from tests.wait import until


def keys(url: str) -> set[bytes]:
    with open_redis(url) as redis:
        return set(redis.scan_iter(count=1000))


async def test_a_job_goes_from_submission_to_result(store: JobStore):
    submitted = await store.jobs.submit(submission(3))
    assert submitted.created
    job = submitted.job
    assert (job.state, job.queue_position, job.attempts, job.cached) == (JobState.QUEUED, 0, 0, False)
    assert (job.owner, job.method, job.model, job.lane, job.priority) == ("ann", "grad_cam", "tiny", "fast", "normal")
    assert (job.params, job.request_id) == ({"class_index": 3}, "request-3")
    assert job.started_at is None
    assert job.timings.queued is None
    assert (job.expires_at - job.created_at).total_seconds() == 24 * 3600

    execution = await claim_one(store)
    assert (execution.method, execution.model, execution.params, execution.attempt) == ("grad_cam", "tiny", '{"class_index":3}', 1)
    assert execution.request_id == "request-3"
    assert await store.images.file_of(execution) == PHOTO
    running = await store.jobs.read(job.id, "ann")
    assert running is not None
    assert (running.state, running.queue_position, running.attempts) == (JobState.RUNNING, None, 1)

    assert await store.queue.complete(execution, result())
    done = await store.jobs.read(job.id, "ann")
    assert done is not None
    assert done.state is JobState.SUCCEEDED
    assert done.facts == {"class_index": 2, "label": "Ägyptische Katze"}
    assert done.warnings == ("the map is zero",)
    assert done.provenance == result().provenance
    assert done.created_at <= done.started_at <= done.finished_at < done.expires_at  # type: ignore[operator]
    assert (done.timings.decode, done.timings.device, done.timings.render) == (1, 2, 3)
    assert done.timings.queued == round((done.started_at - done.created_at).total_seconds() * 1000)  # type: ignore[operator]
    overlay, array = done.artifacts
    assert (overlay.name, overlay.kind, overlay.shape, overlay.dtype, overlay.primary) == ("overlay", "image", (3, 5, 3), "uint8", True)
    assert (array.size, array.sha256) == (3, "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81")
    assert await store.artifacts.read(job.id, "ann", "overlay") == b"\x89PNG map \xff\x00"
    assert await store.artifacts.read(job.id, "ann", "map") == b"\x01\x02\x03"


async def test_identical_submissions_share_one_execution(store: JobStore):
    first = (await store.jobs.submit(submission(1))).job
    second = (await store.jobs.submit(submission(1, owner="bob", request_id="other"))).job
    assert first.id != second.id
    assert second.queue_position == 0

    execution = await claim_one(store)
    assert await store.queue.claim("w2", "fast", 5, 0) == []
    late = (await store.jobs.submit(submission(1))).job
    assert (late.state, late.cached) == (JobState.RUNNING, False)
    await store.queue.complete(execution, result())
    for job_id, owner in ((first.id, "ann"), (second.id, "bob"), (late.id, "ann")):
        job = await store.jobs.read(job_id, owner)
        assert job is not None
        assert job.state is JobState.SUCCEEDED
        assert await store.artifacts.read(job_id, owner, "map") == b"\x01\x02\x03"
    assert (await store.jobs.read(second.id, "bob")).request_id == "other"  # type: ignore[union-attr]


async def test_fifty_identical_submissions_at_once_make_one_execution(store: JobStore):
    submitted = await asyncio.gather(*(store.jobs.submit(submission(1)) for _ in range(50)))
    assert len({each.job.id for each in submitted}) == 50
    executions = await store.queue.claim("w1", "fast", 100, 0)
    assert len(executions) == 1
    await store.queue.complete(executions[0], result())
    jobs = await asyncio.gather(*(store.jobs.wait(each.job.id, "ann", 10) for each in submitted))
    assert all(job is not None and job.state is JobState.SUCCEEDED for job in jobs)


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": "f2"},
        {"model": "other"},
        {"method": "predict"},
        {"params": '{"class_index":2}'},
        {"image": PHOTO + b"."},
        {"image": None},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_different_work_is_not_joined(store: JobStore, change: dict[str, object]):
    await store.jobs.submit(submission(1))
    await store.jobs.submit(submission(1, **change))
    assert len(await store.queue.claim("w1", "fast", 5, 0)) == 2


async def test_a_repeated_job_is_answered_from_the_finished_one(store: JobStore):
    await store.jobs.submit(submission(1))
    await run_one(store)
    again = await store.jobs.submit(submission(1, owner="bob"))
    assert again.created
    assert again.job.cached
    assert again.job.state is JobState.SUCCEEDED
    assert again.job.timings.queued == 0
    assert await store.artifacts.read(again.job.id, "bob", "map") == b"\x01\x02\x03"
    assert await store.queue.claim("w1", "fast", 1, 0) == []


async def test_no_cache_runs_again_and_leaves_the_earlier_result_alone(store: JobStore):
    old = (await store.jobs.submit(submission(1))).job
    await run_one(store, result(b"old"))
    new = (await store.jobs.submit(submission(1, fresh=True))).job
    assert (new.state, new.cached) == (JobState.QUEUED, False)
    await run_one(store, result(b"new"))
    assert await store.artifacts.read(old.id, "ann", "overlay") == b"old"
    assert await store.artifacts.read(new.id, "ann", "overlay") == b"new"
    newest = (await store.jobs.submit(submission(1))).job
    assert newest.cached
    assert await store.artifacts.read(newest.id, "ann", "overlay") == b"new"


async def test_no_cache_joins_only_work_that_takes_nothing_from_earlier_jobs(store: JobStore):
    plain = (await store.jobs.submit(submission(1))).job
    (running,) = await store.queue.claim("w1", "fast", 5, 0)
    fresh = (await store.jobs.submit(submission(1, fresh=True))).job
    joined = (await store.jobs.submit(submission(1, fresh=True))).job
    late = (await store.jobs.submit(submission(1))).job
    (again,) = await store.queue.claim("w1", "fast", 5, 0)
    assert (running.fresh, again.fresh) == (False, True)
    assert (await store.jobs.submit(submission(1, fresh=True))).job.state is JobState.RUNNING
    await store.queue.complete(again, result(b"fresh"))
    await store.queue.complete(running, result(b"plain"))
    answers = {job.id: await store.artifacts.read(job.id, "ann", "overlay") for job in (plain, fresh, joined, late)}
    assert answers == {plain.id: b"plain", fresh.id: b"fresh", joined.id: b"fresh", late.id: b"fresh"}


async def test_no_cache_does_not_join_queued_work_either(store: JobStore):
    await store.jobs.submit(submission(1))
    await store.jobs.submit(submission(1, fresh=True))
    assert [execution.fresh for execution in await store.queue.claim("w1", "fast", 5, 0)] == [False, True]


async def test_failed_work_is_run_again(store: JobStore):
    first = (await store.jobs.submit(submission(1))).job
    await store.queue.fail(await claim_one(store), JobError(code="no_gradient", detail="none", retryable=False))
    second = (await store.jobs.submit(submission(1))).job
    assert (second.state, second.cached) == (JobState.QUEUED, False)
    await run_one(store)
    assert (await store.jobs.read(first.id, "ann")).state is JobState.FAILED  # type: ignore[union-attr]
    assert (await store.jobs.read(second.id, "ann")).state is JobState.SUCCEEDED  # type: ignore[union-attr]


async def test_canceled_work_is_run_again(store: JobStore):
    await store.jobs.cancel((await store.jobs.submit(submission(1))).job.id, "ann")
    second = (await store.jobs.submit(submission(1))).job
    assert second.state is JobState.QUEUED
    await run_one(store)


async def test_a_full_queue_refuses_and_stores_nothing(make_store: Callable[..., JobStore], redis_url: str):
    store = make_store(max_queued=3)
    for number in range(2):
        await store.jobs.submit(submission(number))
    await store.jobs.submit(submission(2, lane="slow"))
    before = keys(redis_url)
    for image in (b"another image", b"a large image" * 1000):
        with pytest.raises(QueueFull) as refused:
            await store.jobs.submit(submission(3, owner="bob", image=image))
        assert refused.value.retry_after is not None
        assert "at most 3" in refused.value.detail
    assert keys(redis_url) == before
    joined = await store.jobs.submit(submission(1, owner="bob"))
    assert joined.job.state is JobState.QUEUED, "joining adds nothing to the queue"
    await claim_one(store)
    await store.jobs.submit(submission(3, owner="bob"))


async def test_a_caller_may_have_so_many_jobs_queued_or_running(make_store: Callable[..., JobStore]):
    store = make_store(max_queued_per_caller=2)
    first = (await store.jobs.submit(submission(1))).job
    await store.jobs.submit(submission(1))
    with pytest.raises(CallerLimit, match="at most 2"):
        await store.jobs.submit(submission(2))
    with pytest.raises(CallerLimit):
        await store.jobs.submit(submission(1))
    await store.jobs.submit(submission(2, owner="bob"))
    await store.jobs.cancel(first.id, "ann")
    await store.jobs.submit(submission(2))
    for execution in await store.queue.claim("w1", "fast", 5, 0):
        await store.queue.complete(execution, result())
    for number in (1, 2):
        assert (await store.jobs.submit(submission(number))).job.cached
    await store.jobs.submit(submission(3))
    await store.jobs.submit(submission(4))
    with pytest.raises(CallerLimit):
        await store.jobs.submit(submission(5))


async def test_high_priority_lifts_a_queued_execution(store: JobStore):
    low = (await store.jobs.submit(submission(1, priority="low"))).job
    await store.jobs.submit(submission(2))
    high = (await store.jobs.submit(submission(1, priority="high"))).job
    assert high.queue_position == 0
    assert (await store.jobs.read(low.id, "ann")).queue_position == 0  # type: ignore[union-attr]
    assert [each.params for each in await store.queue.claim("w1", "fast", 5, 0)] == ['{"class_index":1}', '{"class_index":2}']


async def test_queue_position_counts_higher_priorities_and_earlier_jobs(store: JobStore):
    async def position(job_id: str) -> int | None:
        job = await store.jobs.read(job_id, "ann")
        assert job is not None
        return job.queue_position

    normal: list[str] = []
    for number in range(3):
        job = (await store.jobs.submit(submission(number, image=bytes([number])))).job
        await until(lambda job=job: datetime.now(UTC) > job.created_at + timedelta(milliseconds=1))
        normal.append(job.id)
    low = (await store.jobs.submit(submission(7, image=b"low", priority="low"))).job.id
    slow = (await store.jobs.submit(submission(8, image=b"slow", lane="slow"))).job.id
    assert [await position(job) for job in (*normal, low, slow)] == [0, 1, 2, 3, 0]
    high = (await store.jobs.submit(submission(9, image=b"high", priority="high"))).job.id
    assert [await position(job) for job in (high, *normal, low)] == [0, 1, 2, 3, 4]
    await store.jobs.cancel(normal[0], "ann")
    assert [await position(job) for job in (high, *normal[1:], low)] == [0, 1, 2, 3]
