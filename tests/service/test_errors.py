"""Wrong requests. Each gets its status, its code, the field at fault and a sentence that says what is allowed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from jobstore.store import JobStore
from schemas import errors
from schemas.errors import ModelLoadInterrupted, VisualizationError
from schemas.problem import Problem
from schemas.url_errors import UrlUnavailable
from service.app import create_app
from service.problems import STATUS, status_of
from service.settings import ServiceSettings
from tests.schemas.tiny import description
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker
from tests.service.test_submit import BASE64, PHOTO, cam


def problem_of(answer: httpx.Response, status: int, code: str) -> Problem:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate_json(answer.content)
    assert (answer.status_code, problem.status, problem.code) == (status, status, code), answer.text
    assert problem.request_id == answer.headers["x-request-id"]
    assert problem.type == f"/problems/{code}"
    assert "Traceback" not in answer.text
    return problem


def test_every_error_has_a_status() -> None:
    assert set(STATUS) == {*VisualizationError.__subclasses__(), ModelLoadInterrupted}
    assert len({error.code for error in STATUS}) == len(STATUS) - 1, "only ModelLoadInterrupted has the code of another error"
    assert status_of(errors.UnknownModel("", pointer="/model")) == 422
    assert status_of(errors.UnknownModel("")) == 404
    elsewhere = {errors.NotFinished: 504, UrlUnavailable: 502}
    assert all(STATUS[error] in (429, 503) for error in STATUS if error.retryable and error not in elsewhere)
    assert all(STATUS[error] == status for error, status in elsewhere.items())


def test_the_codes_are_an_enumeration_in_openapi(app: FastAPI) -> None:
    assert set(app.openapi()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]) == {error.code for error in STATUS}


BODIES: list[tuple[dict[str, Any], str, str, dict[str, Any]]] = [
    (cam(method="grad_can"), "unknown_method", "/method", {"got": "grad_can"}),
    (cam(model="vgg17"), "unknown_model", "/model", {"nearest": ("vgg19", "vgg16")}),
    (cam(model="../../etc/passwd"), "unknown_model", "/model", {"got": "../../etc/passwd"}),
    (cam(model="VGG16"), "unknown_model", "/model", {"nearest": ("vgg16", "vgg19")}),
    (cam(params={"layer": "block5_conv9"}), "unknown_layer", "/params/layer", {"nearest": ("block5_conv3", "block5_conv1")}),
    (cam(params={"layer": "average"}), "unsuitable_layer", "/params/layer", {"got": "average"}),
    (cam(params={"class_index": 5}), "unknown_class", "/params/class_index", {"allowed": "0 to 4", "got": "5"}),
    (cam(params={"class_index": "egyptian cats"}), "unknown_class", "/params/class_index", {"nearest": ("Egyptian cat",)}),
    (cam(params={"class_index": "tabby"}), "unknown_class", "/params/class_index", {"got": "tabby"}),
    (cam(params={"class_index": list(range(17))}), "limit_exceeded", "/params/class_index", {"allowed": "at most 16", "got": "17"}),
    (cam(params={"clas_index": 1}), "invalid_parameters", "/params/clas_index", {"nearest": ("class_index",), "got": "clas_index"}),
    (cam(params={"alpha": 1.5}), "invalid_parameters", "/params/alpha", {"allowed": "a number ≤ 1", "got": "1.5"}),
    (cam(params={"colormap": "virids"}), "invalid_parameters", "/params/colormap", {"nearest": ("viridis",)}),
    (cam(params=[1]), "invalid_parameters", "/params", {"got": "[1]"}),
    (cam(parms={}), "invalid_parameters", "/parms", {"nearest": ("params",)}),
    (cam(priority="urgent"), "invalid_parameters", "/priority", {"allowed": "one of high, normal, low"}),
    (cam(image={"url": "https://example.org/x.png"}), "invalid_parameters", "/image", {"got": "url"}),
    (cam(image={"base64": BASE64, "id": "img_" + "0" * 64}), "invalid_parameters", "/image", {"got": "base64, id"}),
    (cam(image={"id": "img_xyz"}), "invalid_parameters", "/image/id", {"got": "img_xyz"}),
    (cam(image={"base64": "data:image/png;base64,?" + BASE64}), "invalid_image", "/image/base64", {}),
    (cam(image=None), "image_required", "/image", {"allowed": "one image", "got": "none"}),
    (cam(method="filters"), "image_unexpected", "/image", {"allowed": "none", "got": "one"}),
    (
        cam(method="filters", image=None, params={"channels": [9999]}),
        "unknown_channel",
        "/params/channels",
        {"allowed": "0 to 7", "got": "9999"},
    ),
    (cam(method="filters", image=None, params={"channels": "all", "steps": 4096}), "limit_exceeded", "/params/steps", {"got": "4096"}),
    (cam(method="filters", image=None, params={"channels": [1, -2]}), "invalid_parameters", "/params/channels/1", {"got": "-2"}),
    (
        cam(method="filters", image=None, params={"transforms": {"jiter": 2}}),
        "invalid_parameters",
        "/params/transforms/jiter",
        {"nearest": ("jitter",)},
    ),
    (cam(method="filters", image=None, params={"channels": 2, "neuron": [0, 0, 0]}), "invalid_parameters", "/params", {}),
    ({"model": "vgg16"}, "invalid_parameters", "/method", {"allowed": None}),
]


@pytest.mark.parametrize(("body", "code", "pointer", "more"), BODIES, ids=lambda value: value if isinstance(value, str) else "")
async def test_a_wrong_field_is_named(
    client: httpx.AsyncClient, worker: FakeWorker, body: dict[str, Any], code: str, pointer: str, more: dict[str, Any]
) -> None:
    problem = problem_of(await client.post("/v1/jobs", json=body), 422, code)
    assert problem.pointer == pointer
    assert {name: getattr(problem, name) for name in more} == more
    for name in problem.nearest or ():
        assert name in problem.detail
    assert problem.errors[0].pointer == pointer
    assert {name: getattr(problem.errors[0], name) or () for name in more} == {name: value or () for name, value in more.items()}
    assert problem.errors[0].detail in problem.detail
    assert await worker.nothing_queued()
    assert await worker.nothing_queued("slow")


@pytest.mark.parametrize(
    "body", [b"{", b"", b'{"method": NaN}', b"\xff\xfe", b"[" * 5000, b'{"method": "grad_cam", "model": "\\ud800"}'], ids=repr
)
async def test_a_body_that_is_not_json_is_malformed(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
    problem_of(answer, 400, "malformed_body")


async def test_a_broken_multipart_body_is_malformed(client: httpx.AsyncClient) -> None:
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = await client.post("/v1/jobs", content=b"--y\r\nnonsense", headers={"Content-Type": content_type})
        problem_of(answer, 400, "malformed_body")


@pytest.mark.parametrize(
    ("path", "allowed"), [("/v1/jobs", "application/json, multipart/form-data"), ("/v1/grad_cam", "multipart/form-data")]
)
async def test_other_content_types_are_not_supported(client: httpx.AsyncClient, path: str, allowed: str) -> None:
    problem = problem_of(await client.post(path, content=b"x", headers={"Content-Type": "text/plain"}), 415, "unsupported_format")
    assert (problem.allowed, problem.got) == (allowed, "text/plain")


async def test_parts_are_counted_and_named(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    request = ("request", (None, json.dumps({"method": "grad_cam", "model": "vgg16"})))
    image, inline = ("image", ("x.png", PHOTO)), ("request", (None, json.dumps(cam())))
    for parts, pointer in (
        ([request, image, image], "/image"),
        ([inline, image], "/image"),
        ([image], "/request"),
        ([request, request, image], "/request"),
        ([request, ("imge", ("x.png", PHOTO))], "/imge"),
        ([request, image, ("parms", (None, "{}"))], "/parms"),
    ):
        problem = problem_of(await client.post("/v1/jobs", files=parts), 422, "invalid_parameters")
        assert problem.pointer == pointer


async def test_a_missing_image_is_named(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await client.post("/v1/jobs", json=cam(image={"id": "img_" + "0" * 64}))
    assert problem_of(answer, 404, "not_found").pointer == "/image/id"


async def test_a_full_queue_says_when_to_try_again(settings: ServiceSettings, worker: FakeWorker) -> None:
    full = settings.model_copy(update={"max_queued": 1})
    store = JobStore.connect(settings.redis_url or "", full)
    async with client_of(create_app(full, store)) as client:
        await client.post("/v1/jobs", json=cam(params={"alpha": 0.1}))
        answer = await client.post("/v1/jobs", json=cam(params={"alpha": 0.2}))
        assert problem_of(answer, 503, "queue_full").retryable
        assert int(answer.headers["retry-after"]) > 0
    await store.close()


async def test_a_model_cannot_be_described_without_a_worker(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    for answer in (await client.post("/v1/jobs", json=cam(model="resnet50")), await client.get("/v1/models/resnet50")):
        problem_of(answer, 503, "no_workers")
        assert int(answer.headers["retry-after"]) > 0


async def test_a_model_that_does_not_load_is_reported(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.live()
    asking = asyncio.create_task(client.get("/v1/models/resnet50"))
    await worker.fail(await worker.claim(), "model_load_failed", "the download failed: no network", retryable=True)
    problem = problem_of(await asking, 503, "model_load_failed")
    assert (problem.detail, problem.retryable) == ("the download failed: no network", True)


async def test_a_model_that_can_never_load_is_not_to_be_tried_again(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.live()
    asking = asyncio.create_task(client.get("/v1/models/resnet50"))
    await worker.fail(await worker.claim(), "model_load_failed", "the file is damaged")
    answer = await asking
    assert not problem_of(answer, 422, "model_load_failed").retryable
    assert "retry-after" not in answer.headers


async def test_a_model_that_loads_slowly_is_loading(settings: ServiceSettings, store: JobStore, worker: FakeWorker) -> None:
    await worker.live()
    async with client_of(create_app(settings.model_copy(update={"describe_wait": 1.0}), store)) as client:
        asking = asyncio.create_task(client.get("/v1/models/resnet50"))
        await worker.claim()
        answer = await asking
    problem = problem_of(answer, 503, "model_loading")
    assert (problem.retryable, answer.headers["retry-after"]) == (True, "5")
    assert "'resnet50' is still being loaded after 1 s" in problem.detail


async def test_a_model_without_classes_has_no_class_to_explain(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.publish(description("vgg19", classes=None, head="none"), ())
    problem_of(await client.post("/v1/jobs", json=cam(model="vgg19")), 422, "unknown_class")


async def test_every_route_reports_a_broker_that_is_away(app: FastAPI, settings: ServiceSettings) -> None:
    away = JobStore.connect("redis://127.0.0.1:1/0", settings)
    async with client_of(create_app(settings, away)) as client:
        for answer in (
            await client.post("/v1/jobs", json=cam()),
            await client.post("/v1/images", files={"image": PHOTO}),
            await client.get("/v1/jobs"),
            await client.get("/v1/jobs/01K5YQZ7T8Y1W4V9N3M2XQJ6RD"),
            await client.get("/v1/jobs/01K5YQZ7T8Y1W4V9N3M2XQJ6RD/events"),
            await client.get("/v1/models"),
        ):
            problem_of(answer, 503, "broker_unavailable")
            assert int(answer.headers["retry-after"]) > 0
    await away.close()
