"""Lists of jobs, and what is left of a job when its result has expired."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobstore import job_events
from jobstore import jobs as jobs_module
from jobstore.store import JobStore
from schemas.errors import Expired, NotFound
from schemas.jobs import JobState
from tests.jobstore.samples import claim_one, heard, result, run_one, submission
from tests.wait import until


class TestLists:
    async def test_newest_first_in_pages(self, store: JobStore):
        made = [(await store.jobs.submit(submission(number, image=bytes([number])))).job.id for number in range(25)]
        pages: list[list[str]] = []
        cursor = None
        while True:
            jobs, cursor = await store.jobs.page("ann", cursor=cursor, limit=10)
            pages.append([job.id for job in jobs])
            if cursor is None:
                break
        assert [len(page) for page in pages] == [10, 10, 5]
        assert [job for page in pages for job in page] == sorted(made, reverse=True)

    async def test_a_full_last_page_has_no_next(self, store: JobStore):
        for number in range(4):
            await store.jobs.submit(submission(number))
        jobs, cursor = await store.jobs.page("ann", limit=4)
        assert (len(jobs), cursor) == (4, None)

    async def test_filters(self, store: JobStore):
        await store.jobs.submit(submission(1))
        await run_one(store)
        await store.jobs.submit(submission(2, method="predict"))
        await store.jobs.submit(submission(3, model="other"))
        await store.jobs.cancel((await store.jobs.submit(submission(4))).job.id, "ann")

        async def found(**filters: object) -> list[int]:
            jobs, cursor = await store.jobs.page("ann", **filters)  # type: ignore[arg-type]
            assert cursor is None
            return sorted(job.params["class_index"] for job in jobs)

        assert await found() == [1, 2, 3, 4]
        assert await found(state=JobState.QUEUED) == [2, 3]
        assert await found(state=JobState.SUCCEEDED) == [1]
        assert await found(state=JobState.CANCELED) == [4]
        assert await found(method="predict") == [2]
        assert await found(model="other") == [3]
        assert await found(model="other", state=JobState.RUNNING) == []

    async def test_a_filter_looks_beyond_the_first_hundred(self, store: JobStore, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(jobs_module, "SCANNED", 5)
        wanted = (await store.jobs.submit(submission(0, method="predict"))).job
        for number in range(1, 13):
            await store.jobs.submit(submission(number))
        jobs, cursor = await store.jobs.page("ann", method="predict", limit=3)
        assert [job.id for job in jobs] == [wanted.id]
        assert cursor is None

    async def test_every_owner_sees_their_own(self, store: JobStore):
        mine = (await store.jobs.submit(submission(1))).job
        theirs = (await store.jobs.submit(submission(1, owner="bob:{x} é"))).job
        assert [job.id for job in (await store.jobs.page("ann"))[0]] == [mine.id]
        assert [job.id for job in (await store.jobs.page("bob:{x} é"))[0]] == [theirs.id]
        assert await store.jobs.page("carl") == ([], None)
        await run_one(store)
        assert await store.jobs.read(theirs.id, "ann") is None
        assert await store.jobs.wait(theirs.id, "ann", 5) is None
        with pytest.raises(NotFound):
            await store.artifacts.read(theirs.id, "ann", "map")


class TestExpiry:
    async def test_results_expire_and_the_job_says_so(self, make_store: Callable[..., JobStore]):
        store = make_store(result_ttl=1)
        job = (await store.jobs.submit(submission(1))).job
        await run_one(store)

        async def expired() -> bool:
            found = await store.jobs.read(job.id, "ann")
            return found is not None and found.state is JobState.EXPIRED

        await until(expired)
        after = await store.jobs.read(job.id, "ann")
        assert after is not None
        assert (after.method, after.params, after.artifacts, after.facts) == ("grad_cam", {"class_index": 1}, (), None)
        with pytest.raises(Expired):
            await store.artifacts.read(job.id, "ann", "map")
        assert not (await store.jobs.submit(submission(1))).job.cached

        async def forgotten() -> bool:
            return await store.jobs.read(job.id, "ann") is None

        await until(forgotten)

    async def test_a_queued_job_nobody_takes_expires(self, make_store: Callable[..., JobStore], monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(job_events, "CHECK_EVERY", 0.1)
        store = make_store(result_ttl=1)
        job = (await store.jobs.submit(submission(1))).job
        assert (await heard(store.jobs.events(job.id, "ann")))[-1] == (2, "done", '{"state":"expired"}')
        assert await store.queue.claim("w1", "fast", 1, 0) == []
        assert (await store.queue.depth()).lanes["fast"].queued == 0

    async def test_a_cached_answer_gives_results_a_new_life(self, make_store: Callable[..., JobStore]):
        store = make_store(result_ttl=1)
        first = (await store.jobs.submit(submission(1))).job
        await run_one(store)
        second = (await store.jobs.submit(submission(1))).job
        assert second.cached

        async def first_expired() -> bool:
            again = (await store.jobs.submit(submission(1))).job
            assert again.cached, "a result that is used again and again does not expire"
            return (await store.jobs.read(first.id, "ann")).state is JobState.EXPIRED  # type: ignore[union-attr]

        await until(first_expired)
        newest = (await store.jobs.submit(submission(1))).job
        assert await store.artifacts.read(newest.id, "ann", "map") == b"\x01\x02\x03"

    async def test_a_job_that_runs_longer_than_results_live_still_ends(self, make_store: Callable[..., JobStore]):
        store = make_store(result_ttl=1)
        job = (await store.jobs.submit(submission(1))).job
        execution = await claim_one(store)

        async def long_since() -> bool:
            assert await store.queue.renew("w1", [execution]) == []
            assert (await store.queue.depth()).lanes["fast"].running == 1
            return await life(store, job.id) > 2.5

        await until(long_since)
        assert await store.queue.complete(execution, result())
        assert await store.artifacts.read(job.id, "ann", "map") == b"\x01\x02\x03"


async def life(store: JobStore, job_id: str) -> float:
    """Return the seconds from a job's submission to its expiry, as the job says now."""
    job = await store.jobs.read(job_id, "ann")
    assert job is not None
    return (job.expires_at - job.created_at).total_seconds()
