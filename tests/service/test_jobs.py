"""The routes under `/v1/jobs`: look at a job, wait for it, follow it, cancel it, list jobs, delete one."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from fastapi import FastAPI

from schemas.events import DoneEvent, StatusEvent
from schemas.jobs import JobPage, Progress, job_adapter
from service.auth import current_owner
from tests.service.fake_worker import FakeWorker, png
from tests.service.test_errors import problem_of
from tests.service.test_submit import cam

NOBODYS = "01K5YQZ7T8Y1W4V9N3M2XQJ6RD"


async def submitted(client: httpx.AsyncClient, **changes: object) -> str:
    answer = await client.post("/v1/jobs", json=cam(**changes))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def test_a_job_through_its_life(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(client)
    queued = (await client.get(f"/v1/jobs/{job_id}")).json()
    assert (queued["state"], queued["queue_position"], queued["attempts"], queued["started_at"]) == ("queued", 0, 0, None)
    execution = await worker.claim()
    await worker.progress(execution, 3, 30, 1.5)
    running = (await client.get(f"/v1/jobs/{job_id}")).json()
    assert (running["state"], running["queue_position"], running["attempts"]) == ("running", None, 1)
    assert running["progress"] == {"step": 3, "total": 30, "value": 1.5}
    await worker.complete(execution, warnings=("the map is all zero",))
    answer = await client.get(f"/v1/jobs/{job_id}")
    job = job_adapter.validate_json(answer.content)
    assert job.state == "succeeded"
    assert job.warnings == ("the map is all zero",)
    assert job.finished_at is not None
    assert job.started_at is not None
    assert job.created_at <= job.started_at <= job.finished_at < job.expires_at
    assert job.provenance is not None
    assert job.provenance.model_fingerprint == "f" * 64
    assert answer.json()["created_at"].endswith("Z")


async def test_a_long_poll_answers_at_the_end(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(client)
    polling = asyncio.create_task(client.get(f"/v1/jobs/{job_id}", params={"wait": 20}))
    await worker.work()
    assert (await polling).json()["state"] == "succeeded"


async def test_a_long_poll_answers_in_time(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(client)
    assert (await client.get(f"/v1/jobs/{job_id}", params={"wait": 0.05})).json()["state"] == "queued"
    problem = problem_of(await client.get(f"/v1/jobs/{job_id}", params={"wait": -1}), 422, "invalid_parameters")
    assert (problem.pointer, problem.got) == ("/wait", "-1")


@pytest.mark.parametrize("job_id", [NOBODYS, "not-an-id", "%2e%2e%2e", "*", "%00"])
@pytest.mark.parametrize(
    ("verb", "path"), [("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("DELETE", ""), ("GET", "/artifacts/map")]
)
async def test_an_unknown_job_is_not_found(client: httpx.AsyncClient, job_id: str, verb: str, path: str) -> None:
    problem_of(await client.request(verb, f"/v1/jobs/{job_id}{path}"), 404, "not_found")


@pytest.mark.parametrize(
    ("verb", "path"), [("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("DELETE", ""), ("GET", "/artifacts/map")]
)
async def test_a_job_of_another_owner_is_not_found(
    app: FastAPI, client: httpx.AsyncClient, worker: FakeWorker, verb: str, path: str
) -> None:
    job_id = await submitted(client)
    await worker.work()
    app.dependency_overrides[current_owner] = lambda: "somebody else"
    problem_of(await client.request(verb, f"/v1/jobs/{job_id}{path}"), 404, "not_found")
    assert (await client.get("/v1/jobs")).json()["items"] == []
    app.dependency_overrides.clear()
    assert (await client.get(f"/v1/jobs/{job_id}")).status_code == 200


async def test_an_upload_of_another_owner_is_not_found(app: FastAPI, client: httpx.AsyncClient, worker: FakeWorker) -> None:
    image_id = (await client.post("/v1/images", files={"image": png(seed=5)})).json()["id"]
    app.dependency_overrides[current_owner] = lambda: "somebody else"
    problem_of(await client.post("/v1/jobs", json=cam(image={"id": image_id})), 404, "not_found")


async def test_a_result_of_another_version_can_still_be_read(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(client)
    await worker.complete(await worker.claim(), facts={"named": "otherwise"})
    for answer in (await client.get(f"/v1/jobs/{job_id}"), await client.get("/v1/jobs")):
        assert answer.status_code == 200
        assert '"facts":{"named":"otherwise"}' in answer.text


async def test_cancel(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(client)
    execution = await worker.claim()
    first = await client.post(f"/v1/jobs/{job_id}/cancel")
    assert (first.status_code, first.json()["state"]) == (202, "canceled")
    assert not await worker.progress(execution, 1, 2)
    second = await client.post(f"/v1/jobs/{job_id}/cancel")
    assert (second.status_code, second.json()["state"]) == (200, "canceled")


async def test_a_job_that_has_ended_cannot_be_canceled(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(client)
    await worker.work()
    assert problem_of(await client.post(f"/v1/jobs/{job_id}/cancel"), 409, "state_conflict").got == "succeeded"


async def test_delete(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(client)
    await worker.work()
    answer = await client.delete(f"/v1/jobs/{job_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    problem_of(await client.get(f"/v1/jobs/{job_id}"), 404, "not_found")
    problem_of(await client.delete(f"/v1/jobs/{job_id}"), 404, "not_found")


async def test_the_list_is_newest_first_and_paged(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    ids = [await submitted(client, params={"alpha": alpha}) for alpha in (0.1, 0.2, 0.3, 0.4, 0.5)]
    seen: list[str] = []
    cursor: str | None = None
    pages = 0
    while True:
        page = JobPage.model_validate_json(
            (await client.get("/v1/jobs", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).content
        )
        seen += [job.id for job in page.items]
        pages += 1
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids[::-1]
    assert pages == 3


async def test_the_list_is_filtered(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    done = await submitted(client)
    await worker.work()
    queued = await submitted(client, method="predict")
    for query, expected in (
        ({"state": "succeeded"}, [done]),
        ({"state": "queued"}, [queued]),
        ({"method": "predict"}, [queued]),
        ({"model": "vgg16"}, [queued, done]),
        ({"model": "vgg19"}, []),
        ({"method": "grad_cam", "state": "queued"}, []),
    ):
        page = (await client.get("/v1/jobs", params=query)).json()
        assert [job["id"] for job in page["items"]] == expected
        assert page["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "pointer"),
    [({"state": "gone"}, "/state"), ({"method": "gradcam"}, "/method"), ({"limit": 0}, "/limit"), ({"limit": "x"}, "/limit")],
)
async def test_a_wrong_filter_is_named(client: httpx.AsyncClient, query: dict[str, str], pointer: str) -> None:
    assert problem_of(await client.get("/v1/jobs", params=query), 422, "invalid_parameters").pointer == pointer


def parsed(stream: str) -> list[tuple[int, str, object]]:
    """Return (id, event, data) of each event, without the comments."""
    events: list[tuple[int, str, object]] = []
    for block in stream.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        if "event" in fields:
            events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return events


async def test_events_of_a_finished_job(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(client)
    execution = await worker.claim()
    await worker.progress(execution, 1, 2, 0.5)
    await worker.complete(execution)
    answer = await client.get(f"/v1/jobs/{job_id}/events")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    events = parsed(answer.text)
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    assert [name for _, name, _ in events] == ["status", "status", "progress", "progress", "done"]
    assert [StatusEvent.model_validate(data) for _, name, data in events if name == "status"] == [
        StatusEvent(job_id=job_id, state="queued", queue_position=0),
        StatusEvent(job_id=job_id, state="running", queue_position=None),
    ]
    assert Progress.model_validate(events[2][2]) == Progress(step=1, total=2, value=0.5)
    assert Progress.model_validate(events[3][2]) == Progress(step=1, total=1)
    assert DoneEvent.model_validate(events[4][2]).state == "succeeded"


async def test_events_go_on_after_the_last_one_seen(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(client)
    await worker.work()
    answer = await client.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": "2"})
    assert [(number, name) for number, name, _ in parsed(answer.text)] == [(3, "done")]
    bad = await client.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": "two"})
    assert problem_of(bad, 422, "invalid_parameters").got == "two"
