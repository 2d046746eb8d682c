"""A stopping service names the requests that are still open, and the jobs that they are about."""

from __future__ import annotations

import asyncio
import re

import httpx
from fastapi import FastAPI

from service.dependencies import services_of
from tests.service.fake_worker import FakeWorker
from tests.service.test_submit import PHOTO, cam


async def test_open_requests_are_listed_with_their_jobs(app: FastAPI, client: httpx.AsyncClient, worker: FakeWorker) -> None:
    listed = services_of(app).open_requests.listed
    job_id = (await client.post("/v1/jobs", json=cam(params={"alpha": 0.9}))).json()["id"]
    assert listed() == []
    form = {"data": {"model": "vgg16"}, "files": {"image": PHOTO}}
    asking = [
        asyncio.create_task(client.get(f"/v1/jobs/{job_id}", params={"wait": 30})),
        asyncio.create_task(client.post("/v1/grad_cam", **form)),
    ]
    while sum(", job " in line for line in listed()) < 2:
        await asyncio.sleep(0.01)
    polling, one_line = sorted(listed())
    assert re.fullmatch(rf"GET /v1/jobs/{job_id} for \d+\.\d s, job {job_id} \(grad_cam\)", polling)
    assert re.fullmatch(r"POST /v1/grad_cam for \d+\.\d s, job 01\w{24} \(grad_cam\)", one_line)
    for _ in range(2):
        await worker.work()
    assert [answer.status_code for answer in await asyncio.gather(*asking)] == [200, 200]
    assert listed() == []
