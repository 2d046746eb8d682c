"""Bad submissions: each gets its status, its code, the field, and words that tell what to do."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from jobstore.store import JobStore
from schemas import errors
from schemas.errors import VisualizationError
from schemas.problem import Problem
from service.app import create_app
from service.problems import STATUS, status_of
from service.settings import ServiceSettings
from tests.schemas.tiny import description
from tests.service.conftest import client_of
from tests.service.played import PlayedWorker
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
    assert set(STATUS) == set(VisualizationError.__subclasses__())
    assert len({error.code for error in STATUS}) == len(STATUS)
    assert status_of(errors.UnknownModel("", pointer="/model")) == 422
    assert status_of(errors.UnknownModel("")) == 404
    assert all(STATUS[error] in (429, 503) for error in STATUS if error.retryable)


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
    (cam(image={"base64": "data:image/png;base64," + BASE64}), "invalid_image", "/image/base64", {}),
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
    client: httpx.AsyncClient, worker: PlayedWorker, body: dict[str, Any], code: str, pointer: str, more: dict[str, Any]
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


async def test_every_wrong_field_is_reported(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    body = cam(
        priority="urgent",
        params={"alpha": 2, "colormap": "jett", "clas_index": 1, "class_index": [1, {}]},
        image={"url": "x"},
        parms=1,
    )
    problem = problem_of(await client.post("/v1/jobs", json=body), 422, "invalid_parameters")
    found = {error.pointer: (error.allowed, error.got, error.nearest) for error in problem.errors}
    assert found == {
        "/priority": ("one of high, normal, low", "urgent", None),
        "/parms": ("method, model, image, params, priority", "parms", ("params",)),
        "/image": ('an object with either "base64" or "id"', "url", None),
        "/params/alpha": ("a number ≤ 1", "2", None),
        "/params/colormap": ("one of jet, viridis, inferno, magma, plasma, turbo, hot, gray", "jett", ("jet",)),
        "/params/class_index/1": ("an integer or text", "{}", None),
        "/params/clas_index": (found["/params/clas_index"][0], "clas_index", ("class_index",)),
    }
    assert problem.pointer == problem.errors[0].pointer
    assert "4 more fields are wrong" in problem.detail
    assert not problem.retryable


async def test_an_unknown_method_is_reported_with_the_other_fields(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    answer = await client.post("/v1/jobs", json=cam(method="grad_can", priority="urgent"))
    problem = problem_of(answer, 422, "unknown_method")
    assert [error.pointer for error in problem.errors] == ["/method", "/priority"]
    assert problem.errors[0].nearest == problem.nearest


async def test_every_wrong_query_parameter_is_reported(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.get("/v1/jobs?limit=999&state=runing&method=grad_cam"), 422, "invalid_parameters")
    assert [(error.pointer, error.allowed, error.got, error.nearest) for error in problem.errors] == [
        ("/state", "one of queued, running, succeeded, failed, canceled, expired", "runing", ("running",)),
        ("/limit", "a number ≤ 200", "999", None),
    ]
    assert problem.errors[1].detail == "The query parameter 'limit' must be a number ≤ 200; got 999."


async def test_the_list_of_wrong_fields_is_bounded(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    problem = problem_of(await client.post("/v1/jobs", json=cam(params={"class_index": [{}] * 10_000})), 422, "invalid_parameters")
    assert len(problem.errors) == 50
    assert "9997 more fields are wrong" in problem.detail


async def test_a_problem_of_no_field_has_no_errors(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.get("/v1/jobs/nothing"), 404, "not_found")
    assert (problem.errors, problem.pointer) == ((), None)


@pytest.mark.parametrize(
    "body", [b"{", b"", b'{"method": NaN}', b"\xff\xfe", b"[" * 5000, b'{"method": "grad_cam", "model": "\\ud800"}'], ids=repr
)
async def test_what_is_not_json_is_malformed(client: httpx.AsyncClient, body: bytes) -> None:
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


async def test_parts_are_counted_and_named(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
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


async def test_an_image_that_is_not_there(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    answer = await client.post("/v1/jobs", json=cam(image={"id": "img_" + "0" * 64}))
    assert problem_of(answer, 404, "not_found").pointer == "/image/id"


async def test_a_full_queue_is_said_with_when_to_come_back(settings: ServiceSettings, worker: PlayedWorker) -> None:
    for changes, status, code in (({"max_queued": 1}, 503, "queue_full"), ({"max_queued_per_caller": 1}, 429, "caller_limit")):
        full = settings.model_copy(update=changes)
        store = JobStore.connect(settings.redis_url or "", full)
        async with client_of(create_app(full, store)) as client:
            await client.post("/v1/jobs", json=cam(params={"alpha": 0.1}))
            answer = await client.post("/v1/jobs", json=cam(params={"alpha": 0.2}))
            assert problem_of(answer, status, code).retryable
            assert int(answer.headers["retry-after"]) > 0
        await store.close()


async def test_without_a_worker_nobody_describes_a_model(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    for answer in (await client.post("/v1/jobs", json=cam(model="resnet50")), await client.get("/v1/models/resnet50")):
        problem_of(answer, 503, "no_workers")
        assert int(answer.headers["retry-after"]) > 0


async def test_a_model_that_does_not_load(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    await worker.live()
    asking = asyncio.create_task(client.get("/v1/models/resnet50"))
    await worker.fail(await worker.claim(), "model_load_failed", "the download failed: no network", retryable=True)
    problem = problem_of(await asking, 503, "model_load_failed")
    assert problem.detail == "the download failed: no network"


async def test_a_model_without_classes_has_no_class_to_explain(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    await worker.publish(description("vgg19", classes=None, head="none"), ())
    problem_of(await client.post("/v1/jobs", json=cam(model="vgg19")), 422, "unknown_class")


async def test_without_the_broker_everything_says_so(app: FastAPI, settings: ServiceSettings) -> None:
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
