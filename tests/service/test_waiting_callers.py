"""Many callers who wait at once, behind a real HTTP server."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from jobstore.store import JobStore
from service.dependencies import services_of
from tests.service.fake_worker import FakeWorker
from tests.service.test_submit import PHOTO, cam
from tests.wait import until

POLLS, STREAMS, ONE_LINE = 120, 60, 10
NO_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None)


async def test_more_than_a_hundred_waiting_callers_leave_the_service_usable(url: str, worker: FakeWorker, store: JobStore, app: FastAPI):
    """Each waiting caller held a connection of the pool of 100, so the 101st made every other request fail with 503."""
    watches = services_of(app).store.listener
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=NO_LIMITS) as client:
        job_id = (await client.post("/v1/jobs", json=cam())).json()["id"]
        polls = [asyncio.create_task(client.get(f"/v1/jobs/{job_id}", params={"wait": 60})) for _ in range(POLLS)]
        streams = [asyncio.create_task(client.get(f"/v1/jobs/{job_id}/events")) for _ in range(STREAMS)]
        form, patiently = {"model": "vgg16"}, {"Prefer": "wait=60"}
        lines = [
            asyncio.create_task(client.post("/v1/grad_cam", data=form, files={"image": PHOTO}, headers=patiently)) for _ in range(ONE_LINE)
        ]
        await until(lambda: watches.watches == POLLS + STREAMS + ONE_LINE)
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.post("/v1/jobs", json=cam(params={"alpha": 0.9}))).status_code == 202
        assert not any(task.done() for task in (*polls, *streams, *lines))
        for _ in range(2):  # the polls, the streams and the one-line calls share the first execution
            await worker.work()
        assert [(await poll).json()["state"] for poll in polls] == ["succeeded"] * POLLS
        assert ["event: done" in (await stream).text for stream in streams] == [True] * STREAMS
        assert [(await line).status_code for line in lines] == [200] * ONE_LINE
        assert watches.watches == 0


@pytest.mark.parametrize("path", ["/v1/jobs/{}?wait=60", "/v1/jobs/{}/events"])
async def test_a_caller_who_left_waits_no_longer_and_the_job_goes_on(
    url: str, worker: FakeWorker, store: JobStore, app: FastAPI, path: str
) -> None:
    listener = services_of(app).store.listener
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        job_id = (await client.post("/v1/jobs", json=cam())).json()["id"]
        waiting = asyncio.create_task(client.get(path.format(job_id)))
        await until(lambda: listener.watches == 1)
        waiting.cancel()
        await until(lambda: listener.watches == 0, 10)
        assert (await client.get(f"/v1/jobs/{job_id}")).json()["state"] == "queued"


async def test_a_submitter_who_left_waits_no_longer_and_the_job_goes_on(
    url: str, worker: FakeWorker, store: JobStore, app: FastAPI
) -> None:
    listener = services_of(app).store.listener
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        waiting = asyncio.create_task(client.post("/v1/jobs", json=cam(), headers={"Prefer": "wait=60"}))
        await until(lambda: listener.watches == 1)
        waiting.cancel()
        await until(lambda: listener.watches == 0, 10)
        jobs, _ = await store.jobs.page("anonymous")
        assert [job.state for job in jobs] == ["queued"]
        counted = 'convscope_http_requests_total{method="POST",route="/v1/jobs",status="499"} 1.0'
        assert counted in (await client.get("/metrics")).text
