"""Batches are canceled, deleted, listed, limited and repeated with an idempotency key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from httpx_sse import aconnect_sse

from jobstore.store import JobStore
from service.app import create_app
from service.auth import current_owner
from service.batches.feeder import BatchFeeder
from service.dependencies import services_of
from service.settings import ServiceSettings
from tests.jobstore import stored_files
from tests.service.batches.test_batches import DEFAULTS, body, ended, photo, rows_of
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker
from tests.wait import until


@asynccontextmanager
async def fed(app: FastAPI) -> AsyncIterator[BatchFeeder]:
    feeder = BatchFeeder(services_of(app))
    feeder.start()
    yield feeder
    await feeder.close()


async def submitted(client: httpx.AsyncClient, content: Any, **headers: str) -> dict[str, Any]:
    answer = await client.post("/v1/batches", json=content, headers=headers)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def test_cancel_ends_what_runs_and_what_waits(worker: FakeWorker, settings: ServiceSettings, store: JobStore) -> None:
    app = create_app(settings.model_copy(update={"batch_in_flight": 3}), store)
    async with client_of(app) as client, fed(app):
        batch = await submitted(client, body(7))
        await worker.complete(await worker.claim())
        running = await worker.claim()

        async def one_has_ended() -> bool:
            counts = (await client.get(f"/v1/batches/{batch['id']}")).json()["counts"]
            return (counts["succeeded"], counts["running"], counts["queued"]) == (1, 1, 5)

        await until(one_has_ended)
        answer = await client.post(f"/v1/batches/{batch['id']}/cancel")
        assert (answer.status_code, answer.json()["state"], answer.json()["canceling"]) == (202, "running", True)
        done = await ended(client, batch["id"])
        assert (done["state"], done["canceling"]) == ("canceled", False)
        assert (done["counts"]["succeeded"], done["counts"]["canceled"]) == (1, 6)
        assert not await worker.progress(running, 1, 2), "its execution is canceled"
        assert await worker.nothing_queued()
        rows = await rows_of(client, batch["id"])
        assert sorted(row["custom_id"] for row in rows) == [f"photo {number}" for number in range(7)]
        assert (await client.post(f"/v1/batches/{batch['id']}/cancel")).status_code == 200


async def test_a_batch_that_has_ended_cannot_be_canceled(client: httpx.AsyncClient, working: FakeWorker, feeder: BatchFeeder) -> None:
    batch = await submitted(client, body(1))
    await ended(client, batch["id"])
    answer = await client.post(f"/v1/batches/{batch['id']}/cancel")
    assert (answer.status_code, answer.json()["got"]) == (409, "succeeded")


async def test_delete_leaves_nothing_behind(worker: FakeWorker, settings: ServiceSettings, store: JobStore, redis_url: str) -> None:
    app = create_app(settings.model_copy(update={"batch_in_flight": 3}), store)
    async with client_of(app) as client, fed(app):
        batch = await submitted(client, body(6))
        first = await worker.work()
        await worker.claim()
        await until(lambda: _state(client, f"/v1/jobs/{first.key}", "succeeded"))
        assert (await client.delete(f"/v1/batches/{batch['id']}")).status_code == 204
        assert (await client.get(f"/v1/batches/{batch['id']}")).status_code == 404
        assert (await client.get("/v1/batches")).json() == {"items": [], "next_cursor": None}

        async def all_gone() -> bool:
            await store.sweep()
            return not (await client.get("/v1/jobs")).json()["items"] and not stored_files.files(settings.data_dir / "files")

        await until(all_gone)
        assert await worker.nothing_queued()


async def _state(client: httpx.AsyncClient, path: str, state: str) -> bool:
    return (await client.get(path)).json().get("state") == state


async def test_an_idempotency_key_answers_the_same_batch(
    client: httpx.AsyncClient, worker: FakeWorker, store: JobStore, settings: ServiceSettings
) -> None:
    first, second = [await submitted(client, body(2), **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert first["id"] == second["id"]
    files = stored_files.files(settings.data_dir / "files")
    other = await client.post("/v1/batches", json=body(1), headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert stored_files.files(settings.data_dir / "files") == files, "the refused request has stored nothing"
    both = await asyncio.gather(*(submitted(client, body(3), **{"Idempotency-Key": "both"}) for _ in range(2)))
    assert both[0]["id"] == both[1]["id"]
    await store.sweep()
    # Three photos, of which both batches have two, a file of items for each batch, and the defaults, which are the same.
    assert len(stored_files.files(settings.data_dir / "files")) == 3 + 2 + 1
    await client.delete(f"/v1/batches/{first['id']}")
    gone = await client.post("/v1/batches", json=body(2), headers={"Idempotency-Key": "k"})
    assert gone.status_code == 404


async def test_batches_have_a_limit_of_their_own(
    client: httpx.AsyncClient, worker: FakeWorker, settings: ServiceSettings, store: JobStore
) -> None:
    app = create_app(settings, JobStore.connect(settings.redis_url or "", settings.model_copy(update={"max_batches_per_caller": 2})))
    async with client_of(app) as limited:
        for _ in range(2):
            await submitted(limited, body(1))
        answer = await limited.post("/v1/batches", json=body(1))
        assert (answer.status_code, answer.json()["code"]) == (429, "caller_limit")
        assert "at most 2" in answer.json()["detail"]
    await services_of(app).store.close()


async def test_items_do_not_count_as_queued_jobs_and_leave_room(worker: FakeWorker, settings: ServiceSettings, redis_url: str) -> None:
    changed = settings.model_copy(update={"max_queued": 8, "max_queued_per_caller": 2})
    store = JobStore.connect(redis_url, changed)
    app = create_app(changed, store)
    async with client_of(app) as client, fed(app):
        await submitted(client, body(9))

        async def half_full() -> bool:
            return (await store.queue.depth()).lanes["fast"].queued == 4

        await until(half_full)
        job = DEFAULTS | {"image": photo(100), "params": {"alpha": 0.75}}
        for number in range(2):
            answer = await client.post("/v1/jobs", json=job | {"params": {"alpha": 0.75 + number / 100}})
            assert answer.status_code == 202, answer.text
        assert json.loads((await worker.claim()).params)["alpha"] >= 0.75, "the caller's job goes before the items"
        assert await half_full() or (await store.queue.depth()).lanes["fast"].queued == 5
    await store.close()


async def test_an_item_shares_the_result_of_an_identical_job(client: httpx.AsyncClient, worker: FakeWorker, feeder: BatchFeeder) -> None:
    job = (await client.post("/v1/jobs", json=DEFAULTS | {"image": photo(0)})).json()
    await worker.work()
    batch = await submitted(client, body(1))
    assert (await ended(client, batch["id"]))["state"] == "succeeded"
    (row,) = await rows_of(client, batch["id"])
    cached = (await client.get(f"/v1/jobs/{row['job_id']}")).json()
    assert (cached["cached"], row["job_id"] == job["id"]) == (True, False)


async def test_items_whose_jobs_have_ended_unseen_are_not_run_again(worker: FakeWorker, settings: ServiceSettings, store: JobStore) -> None:
    """The service dies when jobs run. They end, their photos are deleted, and the notes of their ends are lost."""
    app = create_app(settings, store)
    async with client_of(app) as client:
        async with fed(app):
            batch = await submitted(client, body(3))
            executions = [await worker.claim() for _ in range(3)]
        for execution in executions:
            await worker.complete(execution)
        await store.sweep()
        record = await store.batches.read(batch["id"], "anonymous")
        assert record is not None
        await store.batch_feeding.forget_notes(record.id, await store.batch_feeding.noted_ends(record.id))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("service.batches.feed_batch._COMPARE_EVERY", 0.1)
            async with fed(app):
                done = await ended(client, batch["id"])
        assert (done["state"], done["counts"]["succeeded"]) == ("succeeded", 3)
        assert await worker.nothing_queued()


async def test_pages_of_batches(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    made = [(await submitted(client, body(1)))["id"] for _ in range(5)]
    page = (await client.get("/v1/batches", params={"limit": 2})).json()
    found = [batch["id"] for batch in page["items"]]
    while page["next_cursor"]:
        page = (await client.get("/v1/batches", params={"limit": 2, "cursor": page["next_cursor"]})).json()
        found += [batch["id"] for batch in page["items"]]
    assert found == made[::-1]


async def test_another_owner_sees_nothing_of_a_batch(app: FastAPI, client: httpx.AsyncClient, worker: FakeWorker) -> None:
    batch = await submitted(client, body(1))
    app.dependency_overrides[current_owner] = lambda: "bob"
    path = f"/v1/batches/{batch['id']}"
    for address in (path, f"{path}/results", f"{path}/artifacts.zip", f"{path}/events"):
        assert (await client.get(address)).status_code == 404
    assert (await client.post(f"{path}/cancel")).status_code == 404
    assert (await client.delete(path)).status_code == 404
    assert (await client.get("/v1/batches")).json()["items"] == []


async def test_events_tell_of_every_item_and_end(client: httpx.AsyncClient, working: FakeWorker, feeder: BatchFeeder, url: str) -> None:
    batch = await submitted(client, body(5))
    path = f"/v1/batches/{batch['id']}/events"
    async with httpx.AsyncClient(base_url=url, timeout=20) as caller:
        async with aconnect_sse(caller, "GET", path) as source:
            events = [(event.event, event.id, json.loads(event.data)) async for event in source.aiter_sse()]
        assert all(data["event"] == kind for kind, _, data in events)
        assert [event_id for kind, event_id, _ in events if kind == "item"] == ["1", "2", "3", "4", "5"]
        assert sorted(data["custom_id"] for kind, _, data in events if kind == "item") == [f"photo {number}" for number in range(5)]
        assert events[-1] == ("done", "6", {"event": "done", "state": "succeeded"})
        assert [kind for kind, _, _ in events[:-1] if kind != "item"].count("counts") >= 1
        assert events[-2][2]["succeeded"] == 5
        async with aconnect_sse(caller, "GET", path, headers={"Last-Event-ID": "4"}) as source:
            rest = [(event.event, event.id) async for event in source.aiter_sse()]
        assert rest == [("item", "5"), ("counts", "5"), ("done", "6")]
        assert (await caller.get(path, headers={"Last-Event-ID": "6"})).status_code == 204


@pytest.mark.slow
@pytest.mark.parametrize("dies", [False, True])
async def test_another_service_goes_on_with_the_batch(
    worker: FakeWorker, settings: ServiceSettings, redis_url: str, monkeypatch: pytest.MonkeyPatch, *, dies: bool
) -> None:
    """A service that ends hands its batches over. The lease of one that dies runs out."""
    changed = settings.model_copy(update={"lease": 0.5 if dies else 60.0})
    stores = [JobStore.connect(redis_url, changed) for _ in range(2)]
    first, second = (create_app(changed, each) for each in stores)
    async with client_of(first) as client:
        feeder = BatchFeeder(services_of(first))
        feeder.start()
        batch = await submitted(client, body(12))
        await worker.work()
        if dies:
            monkeypatch.setattr(feeder, "_hand_over", _nothing)
        await feeder.close()
        async with fed(second):
            for _ in range(11):
                await worker.work()
            done = await ended(client, batch["id"])
        assert (done["state"], done["counts"]["succeeded"]) == ("succeeded", 12)
        assert await worker.nothing_queued()
        assert len((await client.get("/v1/jobs")).json()["items"]) == 12
    for each in stores:
        await each.close()


async def _nothing(_: object) -> None:
    return
