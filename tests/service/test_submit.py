"""Valid submissions with `POST /v1/jobs`."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from typing import Any

import httpx
import pytest

from jobstore.store import JobStore
from schemas.job_requests import example_request
from schemas.jobs import job_adapter
from schemas.methods import METHODS, family_of
from service.app import create_app
from service.settings import ServiceSettings
from tests.schemas.tiny import description, transformer
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, catalog_of, png

PHOTO = png()
BASE64 = base64.b64encode(PHOTO).decode()


def cam(**changes: Any) -> dict[str, Any]:
    return {"method": "grad_cam", "model": "vgg16", "image": {"base64": BASE64}, "params": {}} | changes


async def test_a_submission_is_queued_with_every_default(
    client: httpx.AsyncClient, worker: FakeWorker, store: JobStore, settings: ServiceSettings
) -> None:
    answer = await client.post("/v1/jobs", json=cam(params={"class_index": "egyptian CAT"}, priority="high"))
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert answer.headers["retry-after"] == "1"
    assert "preference-applied" not in answer.headers
    assert job["state"] == "queued"
    assert job["priority"] == "high"
    assert job["queue_position"] == 0
    expected = {
        "layer": "block5_conv3",
        "class_index": 2,
        "sign": 1,
        "precision": "float32",
        "preset": "standard",
        "colormap": "turbo",
        "alpha": 0.6,
    }
    assert job["params"] | expected == job["params"]
    assert job["artifacts"] == []
    assert job["facts"] is None
    execution = await worker.claim()
    assert (execution.method, execution.model, execution.priority) == ("grad_cam", "vgg16", "high")
    assert execution.model_digest == catalog_of(settings.models_file, settings.models_dir)["vgg16"].digest
    assert json.loads(execution.params) == job["params"]
    assert await store.images.file_of(execution) == PHOTO


async def test_params_may_be_left_out(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    body = cam()
    del body["params"]
    assert (await client.post("/v1/jobs", json=body)).json()["params"]["layer"] == "block5_conv3"


async def test_multipart_takes_the_image_as_a_file(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    request = json.dumps({"method": "grad_cam", "model": "vgg16", "params": {"layer": "base/conv"}})
    parts = {"request": (None, request, "application/json"), "image": ("cat.jpg", PHOTO, "image/jpeg")}
    answer = await client.post("/v1/jobs", files=parts)
    assert answer.status_code == 202, answer.text
    assert answer.json()["params"]["layer"] == "base/conv"
    assert await store.images.file_of(await worker.claim()) == PHOTO


async def test_the_request_part_may_come_as_a_file(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    request = json.dumps({"method": "filters", "model": "vgg16"})
    answer = await client.post("/v1/jobs", files={"request": ("request.json", request, "application/json")})
    assert answer.status_code == 202, answer.text
    assert answer.headers["retry-after"] == "5"
    assert (await worker.claim("slow")).method == "filters"


async def test_an_upload_serves_many_jobs(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    image_id = (await client.post("/v1/images", files={"image": PHOTO})).json()["id"]
    for method in ("grad_cam", "predict"):
        answer = await client.post("/v1/jobs", json={"method": method, "model": "vgg16", "image": {"id": image_id}})
        assert answer.status_code == 202, answer.text
        assert await store.images.file_of(await worker.claim()) == PHOTO


@pytest.mark.parametrize("method", METHODS)
async def test_every_methods_example_is_accepted(client: httpx.AsyncClient, worker: FakeWorker, method: str) -> None:
    await worker.publish(description("mobilenet_v2"))  # the example of `compare_models` names it
    if family_of(method) == "attention":
        await worker.publish(transformer().description.model_copy(update={"name": "vgg16"}))
    text = json.dumps(example_request(method) | ({"model": "vgg16"} if METHODS[method].card.needs_model else {}))
    for seed, named in enumerate(sorted(set(re.findall(r"img_[0-9a-f]{64}", text)))):
        text = text.replace(named, (await client.post("/v1/images", files={"image": png(seed=seed)})).json()["id"])
    answer = await client.post("/v1/jobs", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 202, answer.text
    assert job_adapter.validate_json(answer.content).method == method


async def test_wait_answers_when_the_job_has_ended(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answering = asyncio.create_task(client.post("/v1/jobs", json=cam(), headers={"Prefer": "wait=20"}))
    await worker.work()
    answer = await answering
    assert answer.status_code == 200, answer.text
    assert answer.headers["preference-applied"] == "wait=20"
    assert "retry-after" not in answer.headers
    job = answer.json()
    assert job["state"] == "succeeded"
    assert job["facts"]["label"] == "Egyptian cat"
    assert [artifact["name"] for artifact in job["artifacts"]] == ["overlay", "heatmap", "map"]
    assert job["artifacts"][2]["url"] == f"{answer.headers['location']}/artifacts/map"
    assert all("data" not in artifact for artifact in job["artifacts"])
    assert {key: job["timings"][key] for key in ("decode", "device", "render")} == {"decode": 2, "device": 3, "render": 4}


async def test_wait_gives_up_in_time_and_is_capped(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await client.post("/v1/jobs", json=cam(), headers={"Prefer": "respond-async, wait=0"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=0")
    cached = asyncio.create_task(client.post("/v1/jobs", json=cam(), headers={"Prefer": "wait=4000"}))
    await worker.work()
    assert (await cached).headers["preference-applied"] == "wait=60"


async def test_a_failed_job_is_answered_as_a_job(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answering = asyncio.create_task(client.post("/v1/jobs", json=cam(), headers={"Prefer": "wait=20"}))
    await worker.fail(await worker.claim(), "no_gradient", "no path")
    answer = await answering
    assert answer.status_code == 200
    assert answer.json()["error"] == {"code": "no_gradient", "detail": "no path", "retryable": False}


async def test_an_identical_job_is_answered_at_once(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    first = (await client.post("/v1/jobs", json=cam())).json()
    await worker.work()
    answer = await client.post("/v1/jobs", json=cam(params={"alpha": 0.6}))
    assert answer.status_code == 200
    assert answer.json()["cached"] is True
    assert answer.json()["id"] != first["id"]
    assert answer.json()["artifacts"][0]["sha256"] == (await client.get(f"/v1/jobs/{first['id']}")).json()["artifacts"][0]["sha256"]
    other = await client.post("/v1/jobs", json=cam(params={"alpha": 0.5}))
    assert (other.status_code, other.json()["cached"]) == (202, False)


async def test_other_preprocessing_makes_another_model(
    client: httpx.AsyncClient, worker: FakeWorker, settings: ServiceSettings, store: JobStore
) -> None:
    await client.post("/v1/jobs", json=cam())
    await worker.work()
    settings.models_file.write_text('[vgg16]\npreprocessing = "tf"\n', "utf-8")
    changed = create_app(settings, store)
    await FakeWorker(store, catalog_of(settings.models_file, settings.models_dir)).publish(description())  # its fingerprint is the same
    async with client_of(changed) as other:
        answer = await other.post("/v1/jobs", json=cam())
    assert (answer.status_code, answer.json()["cached"]) == (202, False)


async def test_another_version_answers_nothing_from_this_ones_results(
    client: httpx.AsyncClient, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.post("/v1/jobs", json=cam())
    await worker.work()
    monkeypatch.setattr("service.submit_job.service_version", lambda: "99.0")
    answer = await client.post("/v1/jobs", json=cam())
    assert (answer.status_code, answer.json()["cached"]) == (202, False)


async def test_no_cache_runs_it_again(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await client.post("/v1/jobs", json=cam())
    await worker.work()
    answer = await client.post("/v1/jobs", json=cam(), headers={"Cache-Control": "max-age=0, No-Cache"})
    assert (answer.status_code, answer.json()["cached"]) == (202, False)
    assert (await worker.claim()).method == "grad_cam"


async def test_an_identical_running_job_is_joined(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    first = (await client.post("/v1/jobs", json=cam())).json()["id"]
    execution = await worker.claim()
    second = (await client.post("/v1/jobs", json=cam())).json()
    assert second["state"] == "running"
    assert await worker.nothing_queued()
    await worker.complete(execution)
    for job_id in (first, second["id"]):
        assert (await client.get(f"/v1/jobs/{job_id}")).json()["state"] == "succeeded"


async def test_an_idempotency_key_answers_the_same_job(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    headers = {"Idempotency-Key": "a b"}
    first = await client.post("/v1/jobs", json=cam(params={"alpha": 0.25}), headers=headers)
    # The same submission as multipart, whose bytes differ each time.
    request = json.dumps({"model": "vgg16", "method": "grad_cam", "params": {"alpha": 0.25}})
    second = await client.post("/v1/jobs", files={"request": (None, request), "image": ("x", PHOTO)}, headers=headers)
    assert first.json()["id"] == second.json()["id"]
    third = await client.post("/v1/jobs", json=cam(params={"alpha": 0.5}), headers=headers)
    assert (third.status_code, third.json()["code"]) == (422, "idempotency_key_reused")
    assert 'convscope_jobs_submitted_total{method="grad_cam",model="vgg16"} 1.0' in (await client.get("/metrics")).text
    await client.delete(f"/v1/jobs/{first.json()['id']}")
    gone = await client.post("/v1/jobs", json=cam(params={"alpha": 0.25}), headers=headers)
    assert (gone.status_code, gone.json()["code"], gone.json().get("pointer")) == (404, "not_found", None)


async def test_a_model_nobody_has_described_is_described_first(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.live()
    answering = asyncio.create_task(client.post("/v1/jobs", json=cam(model="resnet50")))
    await worker.describe(description("resnet50"))
    answer = await answering
    assert answer.status_code == 202, answer.text
    assert answer.json()["model"] == "resnet50"
