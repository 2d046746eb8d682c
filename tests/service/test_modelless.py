"""Methods that need no model."""

from __future__ import annotations

import json

import httpx

from schemas.jobs import job_adapter
from tests.service.fake_worker import FakeWorker
from tests.service.test_errors import problem_of
from tests.service.test_submit import BASE64, PHOTO


async def test_a_method_that_needs_no_model(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    """No worker is asked to describe a model, and identical jobs still share one execution."""
    body = {"method": "sandbox", "image": {"base64": BASE64}, "params": {"preset": "relu"}}
    first, second = [await client.post("/v1/jobs", json=each) for each in (body, body | {"model": "none"})]
    assert (first.status_code, second.status_code) == (202, 202), first.text
    execution = await worker.claim()
    assert (execution.method, execution.model) == ("sandbox", "none")
    assert json.loads(execution.params)["stages"] == [{"conv": {"filters": 3, "kernel": 3}}, {"relu": {}}]
    assert await worker.nothing_queued()
    for answer in (first, second):
        job = job_adapter.validate_python((await client.get(answer.headers["location"])).json())
        assert (job.model, job.state) == ("none", "running")
    answer = await client.post(
        "/v1/sandbox", data={"preset": "relu"}, files={"image": ("cat.png", PHOTO)}, headers={"Prefer": "respond-async"}
    )
    assert (answer.status_code, answer.json()["model"]) == (202, "none"), answer.text


async def test_a_method_that_needs_no_model_takes_none(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    body = {"method": "sandbox", "model": "vgg16", "image": {"base64": BASE64}}
    problem = problem_of(await client.post("/v1/jobs", json=body), 422, "invalid_parameters")
    assert (problem.pointer, problem.detail) == ("/model", "model must be none; got vgg16.")
    answer = await client.post("/v1/sandbox", data={"model": "vgg16"}, files={"image": ("cat.png", PHOTO)})
    assert problem_of(answer, 422, "invalid_parameters").pointer == "/model"
    answer = await client.post("/v1/jobs", json={"method": "grad_cam", "image": {"base64": BASE64}})
    assert problem_of(answer, 422, "invalid_parameters").detail.startswith("model is required.")
