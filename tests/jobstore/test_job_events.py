"""Following the events of a job and waiting for its end."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable

import pytest

from jobstore import job_events
from jobstore.store import JobStore
from schemas.errors import NotFound
from schemas.jobs import JobState, Progress
from tests.jobstore.samples import claim_one, heard, result, run_one, submission
from tests.wait import until


class TestEvents:
    async def test_a_jobs_life_in_order(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        execution = await claim_one(store)
        assert await store.queue.progress(execution, 3, 10, 0.5)
        assert await store.queue.progress(execution, 6, 10, None, preview=b"\x89PNG\xff")
        await store.queue.complete(execution, result(progress=Progress(step=10, total=10)))
        events = await heard(store.jobs.events(job.id, "ann"))
        assert [(sequence, kind, json.loads(data)) for sequence, kind, data in events] == [
            (1, "status", {"state": "queued", "queue_position": 0}),
            (2, "status", {"state": "running", "queue_position": None}),
            (3, "progress", {"step": 3, "total": 10, "value": 0.5}),
            (4, "progress", {"step": 6, "total": 10, "value": None}),
            (6, "progress", {"step": 10, "total": 10, "value": None}),
            (7, "done", {"state": "succeeded"}),
        ]
        after = await store.jobs.read(job.id, "ann")
        assert after is not None
        assert after.progress == Progress(step=10, total=10)

    async def test_events_come_as_they_happen(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        events = store.jobs.events(job.id, "ann")
        assert (await anext(events)).type == "status"  # type: ignore[union-attr]
        following = asyncio.create_task(anext(events))
        execution = await claim_one(store)
        assert json.loads((await asyncio.wait_for(following, 10)).data)["state"] == "running"  # type: ignore[arg-type, union-attr]
        following = asyncio.create_task(anext(events))
        await store.queue.progress(execution, 1, 1)
        assert (await asyncio.wait_for(following, 10)).type == "progress"  # type: ignore[arg-type, union-attr]
        following = asyncio.create_task(anext(events))
        await store.queue.complete(execution, result())
        assert (await asyncio.wait_for(following, 10)).type == "done"  # type: ignore[arg-type, union-attr]
        with pytest.raises(StopAsyncIteration):
            await anext(events)

    async def test_the_newest_preview_is_shown(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        execution = await claim_one(store)
        for step in (1, 2, 3):
            await store.queue.progress(execution, step, 10, preview=b"\x89PNG\xff" + bytes([step]))
        previews: list[dict[str, object]] = []
        async for event in store.jobs.events(job.id, "ann"):
            assert event is not None
            if event.type == "preview":
                previews.append(json.loads(event.data))
            if event.sequence == 8:
                break
        assert [preview["step"] for preview in previews] == [3]
        media, content = str(previews[0]["image"]).split(",")
        assert media == "data:image/png;base64"
        assert base64.b64decode(content) == b"\x89PNG\xff\x03"

    async def test_resuming_leaves_out_earlier_events(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        await run_one(store)
        assert [sequence for sequence, _, _ in await heard(store.jobs.events(job.id, "ann", after=1))] == [2, 3]
        assert [sequence for sequence, _, _ in await heard(store.jobs.events(job.id, "ann", after=2))] == [3]
        assert await heard(store.jobs.events(job.id, "ann", after=3)) == []
        assert await heard(store.jobs.events(job.id, "ann", after=10**15)) == []

    async def test_a_sequence_number_that_is_too_high_does_not_hide_the_end(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        following = asyncio.create_task(heard(store.jobs.events(job.id, "ann", after=500)))
        execution = await claim_one(store)
        await store.queue.complete(execution, result())
        assert (await asyncio.wait_for(following, 20))[-1][1] == "done"

    async def test_progress_reaches_every_job_and_a_late_job_starts_with_the_current_state(self, store: JobStore):
        first = (await store.jobs.submit(submission(1))).job
        execution = await claim_one(store)
        await store.queue.progress(execution, 1, 3)
        late = (await store.jobs.submit(submission(1, owner="bob"))).job
        await store.queue.progress(execution, 2, 3)
        await store.queue.complete(execution, result(progress=Progress(step=3, total=3)))
        assert [kind for _, kind, _ in await heard(store.jobs.events(first.id, "ann"))] == [
            "status",
            "status",
            "progress",
            "progress",
            "progress",
            "done",
        ]
        events = await heard(store.jobs.events(late.id, "bob"))
        assert [(kind, json.loads(data)) for _, kind, data in events] == [
            ("status", {"state": "running", "queue_position": None}),
            ("progress", {"step": 2, "total": 3, "value": None}),
            ("progress", {"step": 3, "total": 3, "value": None}),
            ("done", {"state": "succeeded"}),
        ]

    async def test_a_cached_job_is_done_at_once(self, store: JobStore):
        await store.jobs.submit(submission(1))
        await run_one(store)
        again = (await store.jobs.submit(submission(1))).job
        assert [(kind, json.loads(data)["state"]) for _, kind, data in await heard(store.jobs.events(again.id, "ann"))] == [
            ("status", "succeeded"),
            ("done", "succeeded"),
        ]

    async def test_a_takeover_is_an_event(self, make_store: Callable[..., JobStore]):
        store = make_store(lease=0.2)
        job = (await store.jobs.submit(submission(1))).job
        await claim_one(store, "dead")
        found: list[object] = []

        async def taken() -> bool:
            found.extend(await store.queue.claim("w2", "fast", 1, 0.2))
            return bool(found)

        await until(taken)
        await store.queue.complete(found[0], result())  # type: ignore[arg-type]
        states = [json.loads(data)["state"] for _, _, data in await heard(store.jobs.events(job.id, "ann"))]
        assert states == ["queued", "running", "running", "succeeded"]

    async def test_none_is_yielded_while_nothing_happens(self, store: JobStore, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(job_events, "CHECK_EVERY", 0.05)
        job = (await store.jobs.submit(submission(1))).job
        events = store.jobs.events(job.id, "ann", after=1)
        assert await anext(events) is None
        assert await anext(events) is None

    async def test_a_deleted_job_ends_its_events(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        events = store.jobs.events(job.id, "ann")
        assert await anext(events) is not None
        following = asyncio.create_task(heard(events))
        await store.jobs.delete(job.id, "ann")
        assert await asyncio.wait_for(following, 20) == [(2, "done", '{"state":"canceled"}')]

    async def test_another_owner_cannot_follow_a_job(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        with pytest.raises(NotFound):
            await heard(store.jobs.events(job.id, "bob"))

    async def test_the_stream_is_capped(self, store: JobStore, monkeypatch: pytest.MonkeyPatch):
        job = (await store.jobs.submit(submission(1))).job
        execution = await claim_one(store)
        for step in range(1500):
            await store.queue.progress(execution, step, 1500)
        await store.queue.complete(execution, result())
        events = await heard(store.jobs.events(job.id, "ann"))
        assert 1000 <= len(events) < 1200
        assert events[-1] == (1504, "done", '{"state":"succeeded"}')


class TestWaiting:
    async def test_the_end_is_answered_as_soon_as_it_comes(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        waiting = asyncio.create_task(store.jobs.wait(job.id, "ann", 60))
        execution = await claim_one(store)
        for step in range(5):
            await store.queue.progress(execution, step, 5)
        assert not waiting.done()
        await store.queue.complete(execution, result())
        done = await asyncio.wait_for(waiting, 10)
        assert done is not None
        assert done.state is JobState.SUCCEEDED
        assert (await store.jobs.wait(job.id, "ann", 60)) == done

    async def test_a_job_that_takes_longer_is_returned_as_it_is(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        late = await store.jobs.wait(job.id, "ann", 0.05)
        assert late is not None
        assert late.state is JobState.QUEUED
        assert (await store.jobs.wait(job.id, "ann", 0)) == late

    async def test_a_deleted_job_is_none(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        waiting = asyncio.create_task(store.jobs.wait(job.id, "ann", 60))
        await store.queue.progress(await claim_one(store), 1, 2)
        await store.jobs.delete(job.id, "ann")
        assert await asyncio.wait_for(waiting, 20) is None

    async def test_a_wait_can_be_given_up_at_any_moment(self, store: JobStore):
        """With redis-py's own time limit, a cancellation that came while a command was being sent was lost (CPython issue 86296)."""
        job = (await store.jobs.submit(submission(1))).job
        for moment in range(60):
            waiting = asyncio.create_task(store.jobs.wait(job.id, "ann", 60))
            for _ in range(moment):
                await asyncio.sleep(0)
            waiting.cancel()
            done, _ = await asyncio.wait([waiting], timeout=4)
            assert done
            assert waiting.cancelled()

    async def test_a_wait_given_up_leaves_the_connection_usable(self, store: JobStore):
        job = (await store.jobs.submit(submission(1))).job
        other = (await store.jobs.submit(submission(2))).job
        for _ in range(3):
            waiting = asyncio.create_task(store.jobs.wait(job.id, "ann", 60))
            await store.jobs.wait(other.id, "ann", 0.02)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        waiting = asyncio.create_task(store.jobs.wait(job.id, "ann", 60))
        for execution in await store.queue.claim("w1", "fast", 5, 0):
            await store.queue.complete(execution, result())
        done = await asyncio.wait_for(waiting, 10)
        assert done is not None
        assert done.id == job.id
