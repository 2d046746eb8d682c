"""`POST /v1/{method}`: the form becomes a job, and the job's outcome becomes the answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import numpy as np
import pytest

from jobstore.store import JobStore
from schemas.jobs import ErrorCode
from tests.service.fake_worker import OVERLAY, FakeWorker, picture, pixels
from tests.service.test_errors import problem_of
from tests.service.test_submit import PHOTO


async def test_what_cannot_be_made_is_refused_before_it_is_run(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": PHOTO}, headers={"Accept": "text/csv"})
    assert "application/x-npz" in (problem_of(answer, 406, "not_acceptable").allowed or "")
    assert await worker.nothing_queued()


async def test_fields_become_params(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    form = {"model": "vgg16", "class_index": ["2", "espresso"], "layer": "base/conv", "alpha": "0.75", "sign": "", "priority": "low"}
    answer = await client.post("/v1/grad_cam", data=form, files={"image": PHOTO}, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    execution = await worker.claim()
    assert await store.images.file_of(execution) == PHOTO
    params = json.loads(execution.params)
    assert (params["class_index"], params["layer"], params["alpha"], params["sign"]) == ([2, 4], "base/conv", 0.75, 1)
    assert execution.priority == "low"


async def test_a_method_without_an_image(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    form = {"model": "vgg16", "channels": "1,5", "steps": "3", "transforms": '{"jitter": 2}'}
    asking = asyncio.create_task(client.post("/v1/filters", data=form, headers={"Accept": "image/png"}))
    execution = await worker.claim("slow")
    params = json.loads(execution.params)
    assert (params["channels"], params["steps"], params["transforms"]["jitter"]) == ([1, 5], 3, 2)
    await worker.complete(execution, [picture("grid", OVERLAY, primary=True)], {"layer": None, "images": [], "dead_channels": []})
    assert np.array_equal(pixels((await asking).content), OVERLAY)


@pytest.mark.parametrize(
    ("method", "form", "files", "code", "pointer"),
    [
        ("grad_cam", {"model": "vgg16"}, [], "image_required", "/image"),
        ("grad_cam", {"model": "vgg16"}, [("image", ("", b""))], "image_required", "/image"),
        ("grad_cam", {"model": "vgg16"}, [("image", ("a", PHOTO)), ("image", ("b", PHOTO))], "invalid_parameters", "/image"),
        ("grad_cam", {"model": "vgg16"}, [("photo", ("a", PHOTO))], "invalid_parameters", "/photo"),
        ("grad_cam", {"model": "vgg16", "image": "cat.png"}, [], "invalid_parameters", "/image"),
        ("grad_cam", {}, [("image", ("a", PHOTO))], "invalid_parameters", "/model"),
        ("grad_cam", {"model": "vgg61"}, [("image", ("a", PHOTO))], "unknown_model", "/model"),
        ("grad_cam", {"model": "vgg16", "class_index": "5"}, [("image", ("a", PHOTO))], "unknown_class", "/class_index"),
        ("grad_cam", {"model": "vgg16", "layer": "block5_conv9"}, [("image", ("a", PHOTO))], "unknown_layer", "/layer"),
        ("grad_cam", {"model": "vgg16", "alhpa": "0.5"}, [("image", ("a", PHOTO))], "invalid_parameters", "/alhpa"),
        ("grad_cam", {"model": "vgg16", "alpha": ["0.5", "0.6"]}, [("image", ("a", PHOTO))], "invalid_parameters", "/alpha"),
        ("filters", {"model": "vgg16"}, [("image", ("a", PHOTO))], "image_unexpected", "/image"),
        ("filters", {"model": "vgg16", "channels": "2", "size": "513"}, [], "limit_exceeded", "/size"),
    ],
)
async def test_a_wrong_field_is_named(
    client: httpx.AsyncClient, worker: FakeWorker, method: str, form: dict[str, Any], files: list[Any], code: str, pointer: str
) -> None:
    answer = await client.post(f"/v1/{method}", data=form, files=files)
    assert problem_of(answer, 422, code).pointer == pointer
    assert await worker.nothing_queued()


async def test_it_answers_with_the_job_when_it_is_not_done_in_time(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": PHOTO}, headers={"Prefer": "wait=0, respond-async"})
    assert answer.status_code == 202
    assert (answer.headers["preference-applied"], answer.headers["retry-after"]) == ("wait=0", "1")
    await worker.work()
    assert (await client.get(answer.headers["location"])).json()["state"] == "succeeded"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("invalid_image", 422),
        ("invalid_parameters", 422),
        ("model_too_large", 422),
        ("storage_full", 503),
        ("model_load_failed", 422),
        ("model_loading", 503),
        ("model_changed", 503),
        ("unknown_layer", 422),
        ("no_gradient", 422),
        ("non_finite", 422),
        ("out_of_memory", 500),
        ("timeout", 504),
        ("worker_crashed", 500),
        ("internal", 500),
    ],
)
async def test_a_failed_job_is_a_problem(client: httpx.AsyncClient, worker: FakeWorker, code: ErrorCode, status: int) -> None:
    asking = asyncio.create_task(client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": PHOTO}))
    await worker.fail(await worker.claim(), code, "what happened")
    answer = await asking
    assert problem_of(answer, status, code).detail == "what happened"
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_a_canceled_job_is_a_conflict(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    asking = asyncio.create_task(client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": PHOTO}))
    await worker.claim()
    job_id = (await client.get("/v1/jobs")).json()["items"][0]["id"]
    await client.post(f"/v1/jobs/{job_id}/cancel")
    problem_of(await asking, 409, "state_conflict")


async def test_a_misspelt_method_is_not_there(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.post("/v1/gradcam", data={"model": "vgg16"}), 404, "unknown_method")
    assert (problem.nearest or ("",))[0] == "grad_cam"
    assert problem.pointer is None
