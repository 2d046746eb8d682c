"""One stream follows many jobs, every event says what it is, and a stream that has told everything is answered with 204."""

from __future__ import annotations

import json
from typing import Any

import httpx
from httpx_sse import aconnect_sse

from tests.service.fake_worker import FakeWorker
from tests.service.test_errors import problem_of
from tests.service.test_submit import cam


async def heard(client: httpx.AsyncClient, path: str, **headers: str) -> list[tuple[str, str, dict[str, Any]]]:
    async with aconnect_sse(client, "GET", path, headers=headers) as source:
        return [(event.event, event.id, json.loads(event.data)) async for event in source.aiter_sse()]


async def test_events_of_several_jobs_come_in_one_stream(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    jobs = [(await client.post("/v1/jobs", json=cam(params={"alpha": alpha}))).json()["id"] for alpha in (0.25, 0.5, 0.75)]
    for _ in jobs:
        await worker.work()
    path = f"/v1/events?jobs={','.join(jobs)}"
    events = await heard(client, path)
    for job_id in jobs:
        own = [(kind, data["event"]) for kind, _, data in events if data["job_id"] == job_id]
        assert own == [("status", "status"), ("status", "status"), ("done", "done")]
    last = events[-1][1]
    assert last == "3.3.3"
    middle = events[4][1]
    rest = await heard(client, path, **{"Last-Event-ID": middle})
    assert sorted((data["job_id"], kind) for kind, _, data in rest) == sorted((data["job_id"], kind) for kind, _, data in events[5:])
    assert (await client.get(path, headers={"Last-Event-ID": last})).status_code == 204
    assert len(await heard(client, path, **{"Last-Event-ID": "3.3"})) == len(events), "it is the id of another stream"


async def test_a_job_that_has_told_its_end_is_answered_with_204(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = (await client.post("/v1/jobs", json=cam())).json()["id"]
    await worker.work()
    events = await heard(client, f"/v1/jobs/{job_id}/events")
    assert [(kind, event_id, data["event"]) for kind, event_id, data in events] == [
        ("status", "1", "status"), ("status", "2", "status"), ("done", "3", "done"),
    ]  # fmt: skip
    assert [kind for kind, _, _ in await heard(client, f"/v1/jobs/{job_id}/events", **{"Last-Event-ID": "2"})] == ["done"]
    assert (await client.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": "3"})).status_code == 204


async def test_a_stream_of_nothing_is_refused(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = (await client.post("/v1/jobs", json=cam())).json()["id"]
    problem_of(await client.get("/v1/events"), 422, "invalid_parameters")
    problem_of(await client.get(f"/v1/events?jobs={job_id}&batch={job_id}"), 422, "invalid_parameters")
    problem_of(await client.get("/v1/events?jobs=,"), 422, "limit_exceeded")
    problem_of(await client.get(f"/v1/events?jobs={job_id},01ARZ3NDEKTSV4RRFFQ69G5FAV"), 404, "not_found")
