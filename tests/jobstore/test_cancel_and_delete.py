"""Canceling and deleting jobs."""

from __future__ import annotations

import pytest

from jobstore.store import JobStore
from schemas.errors import NotFound, StateConflict
from schemas.jobs import JobError, JobState
from tests.jobstore.samples import claim_one, heard, result, run_one, state_of, submission


async def test_a_queued_job_is_never_claimed(store: JobStore):
    job = (await store.jobs.submit(submission(1))).job
    canceled = await store.jobs.cancel(job.id, "ann")
    assert canceled.state is JobState.CANCELED
    assert canceled.queue_position is None
    assert canceled.finished_at is not None
    assert await store.queue.claim("w1", "fast", 1, 0) == []


async def test_a_running_job_stops_at_its_next_write(store: JobStore):
    job = (await store.jobs.submit(submission(1))).job
    execution = await claim_one(store)
    assert await store.queue.progress(execution, 1, 10)
    await store.jobs.cancel(job.id, "ann")
    assert not await store.queue.progress(execution, 2, 10)
    assert await store.queue.renew("w1", [execution]) == [execution]
    assert not await store.queue.complete(execution, result())
    assert not await store.queue.fail(execution, JobError(code="internal", detail="", retryable=False))
    assert not await store.queue.release(execution)
    assert await state_of(store, job.id) is JobState.CANCELED
    assert (await heard(store.jobs.events(job.id, "ann")))[-1][1:] == ("done", '{"state":"canceled"}')


@pytest.mark.parametrize("running", [False, True], ids=["queued", "running"])
async def test_an_execution_goes_on_while_another_job_waits_for_it(store: JobStore, running: bool):
    mine = (await store.jobs.submit(submission(1))).job
    theirs = (await store.jobs.submit(submission(1, owner="bob"))).job
    execution = await claim_one(store) if running else None
    assert (await store.jobs.cancel(mine.id, "ann")).state is JobState.CANCELED
    assert await state_of(store, theirs.id, "bob") is (JobState.RUNNING if running else JobState.QUEUED)
    execution = execution or await claim_one(store)
    assert await store.queue.progress(execution, 1, 2)
    assert await store.queue.complete(execution, result())
    assert await state_of(store, mine.id) is JobState.CANCELED
    assert await state_of(store, theirs.id, "bob") is JobState.SUCCEEDED
    assert [kind for _, kind, _ in await heard(store.jobs.events(mine.id, "ann"))][-1] == "done"
    with pytest.raises(NotFound):
        await store.artifacts.read(mine.id, "ann", "map")


async def test_an_execution_stops_when_its_last_job_is_canceled(store: JobStore):
    mine = (await store.jobs.submit(submission(1))).job
    theirs = (await store.jobs.submit(submission(1, owner="bob"))).job
    execution = await claim_one(store)
    await store.jobs.cancel(mine.id, "ann")
    await store.jobs.cancel(theirs.id, "bob")
    assert not await store.queue.progress(execution, 1, 2)


async def test_canceling_twice_changes_nothing(store: JobStore):
    job = (await store.jobs.submit(submission(1))).job
    first = await store.jobs.cancel(job.id, "ann")
    assert await store.jobs.cancel(job.id, "ann") == first


@pytest.mark.parametrize("failed", [False, True])
async def test_an_ended_job_cannot_be_canceled(store: JobStore, failed: bool):
    job = (await store.jobs.submit(submission(1))).job
    if failed:
        await store.queue.fail(await claim_one(store), JobError(code="non_finite", detail="NaN", retryable=False))
    else:
        await run_one(store)
    with pytest.raises(StateConflict) as refused:
        await store.jobs.cancel(job.id, "ann")
    assert refused.value.got == ("failed" if failed else "succeeded")


async def test_another_owner_finds_nothing(store: JobStore):
    job = (await store.jobs.submit(submission(1))).job
    with pytest.raises(NotFound):
        await store.jobs.cancel(job.id, "bob")
    assert not await store.jobs.delete(job.id, "bob")
    assert await state_of(store, job.id) is JobState.QUEUED


@pytest.mark.parametrize("job_id", ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "no id", ""])
async def test_an_unknown_job_is_not_found(store: JobStore, job_id: str):
    with pytest.raises(NotFound):
        await store.jobs.cancel(job_id, "ann")
    assert not await store.jobs.delete(job_id, "ann")
    assert await store.jobs.read(job_id, "ann") is None
    assert await store.jobs.wait(job_id, "ann", 5) is None


class TestDelete:
    async def test_a_deleted_job_and_its_artifacts_are_gone(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        await run_one(store)
        assert await store.jobs.delete(job.id, "ann")
        assert await store.jobs.read(job.id, "ann") is None
        assert (await store.jobs.page("ann"))[0] == []
        with pytest.raises(NotFound):
            await store.artifacts.read(job.id, "ann", "map")
        assert not await store.jobs.delete(job.id, "ann")
        assert not (await store.jobs.submit(submission(1))).job.cached, "its result is forgotten too"

    async def test_results_stay_for_a_job_that_shares_them(self, store: JobStore):
        mine = (await store.jobs.submit(submission(1))).job
        await run_one(store)
        theirs = (await store.jobs.submit(submission(1, owner="bob"))).job
        await store.jobs.delete(mine.id, "ann")
        assert await store.artifacts.read(theirs.id, "bob", "map") == b"\x01\x02\x03"
        assert (await store.jobs.submit(submission(1))).job.cached

    async def test_deleting_a_running_job_stops_it(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        execution = await claim_one(store)
        await store.jobs.delete(job.id, "ann")
        assert not await store.queue.complete(execution, result())
        assert (await store.queue.depth()).lanes["fast"].running == 0

    async def test_deleting_a_queued_job_takes_it_from_the_queue(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        await store.jobs.delete(job.id, "ann")
        assert await store.queue.claim("w1", "fast", 1, 0) == []
        assert (await store.jobs.submit(submission(1))).job.queue_position == 0
