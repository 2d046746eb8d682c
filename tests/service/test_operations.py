"""Health, metrics, request ids, logs, CORS, unknown addresses and unexpected errors."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from jobstore.store import JobStore
from schemas.health import Readiness
from service.app import create_app
from service.dependencies import services_of
from service.settings import ServiceSettings
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker
from tests.service.test_errors import problem_of
from tests.service.test_submit import cam


async def test_livez_needs_no_broker(settings: ServiceSettings) -> None:
    away = JobStore.connect("redis://127.0.0.1:1/0", settings)
    async with client_of(create_app(settings, away)) as client:
        assert (await client.get("/livez")).json() == {"status": "ok"}
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "broker_unavailable", "workers": [], "queue_depth": {}})
        assert "retry-after" in answer.headers
        assert "convscope_broker_up 0.0" in (await client.get("/metrics")).text
    await away.close()


async def test_readyz_tells_workers_and_queues(client: httpx.AsyncClient, worker: FakeWorker, app: FastAPI) -> None:
    await worker.live("vgg16")
    for alpha in (0.1, 0.2):
        await client.post("/v1/jobs", json=cam(params={"alpha": alpha}))
    await client.post("/v1/jobs", json=cam(method="filters", image=None))
    await worker.claim()
    answer = await client.get("/readyz")
    ready = Readiness.model_validate_json(answer.content)
    assert (answer.status_code, ready.status, ready.queue_depth) == (200, "ready", {"fast": 1, "slow": 1})
    assert [(each.id, each.loaded_models) for each in ready.workers] == [("fake", ("vgg16",))]
    services_of(app).drain.begin()
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "draining")


async def test_readyz_is_starting_while_no_worker_takes_work(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    async def status() -> tuple[int, str, int]:
        answer = await client.get("/readyz")
        return answer.status_code, answer.json()["status"], len(answer.json()["workers"])

    assert await status() == (200, "starting", 0)
    await worker.live("vgg16")
    assert await status() == (200, "ready", 1)
    (alive,) = await store.workers.alive()
    await store.workers.heartbeat(alive.model_copy(update={"draining": True}))
    assert await status() == (200, "starting", 1)
    await store.workers.forget(alive.id)
    assert await status() == (200, "starting", 0)


async def test_metrics(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.live()
    await client.post("/v1/jobs", json=cam())
    await worker.work()
    await client.post("/v1/jobs", json=cam())
    await client.post("/v1/jobs", json=cam(params={"alpha": 0.9}))
    await client.post("/v1/jobs", json=cam(model="vgg61"))
    await client.get("/v1/jobs/x")
    await client.get("/v1/nowhere/at/all")
    await client.request("BREW", "/v1/jobs")
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["convscope_http_requests_total", "/v1/jobs", "202", "POST"] == 2
    assert samples["convscope_http_requests_total", "/v1/jobs", "200", "POST"] == 1
    assert samples["convscope_http_requests_total", "/v1/jobs", "422", "POST"] == 1
    assert samples["convscope_http_requests_total", "/v1/jobs/{job_id}", "404", "GET"] == 1
    assert samples["convscope_http_requests_total", "404", "GET", "unmatched"] == 1
    assert samples["convscope_http_requests_total", "/v1/jobs", "405", "other"] == 1
    assert samples["convscope_http_request_seconds_count", "/v1/jobs", "POST"] == 4
    assert samples["convscope_jobs_submitted_total", "grad_cam", "vgg16"] == 3
    assert samples["convscope_job_cache_hits_total", "grad_cam", "vgg16"] == 1
    assert samples["convscope_jobs", "fast", "queued"] == 1
    assert samples["convscope_jobs", "fast", "running"] == 0
    assert samples["convscope_queue_oldest_seconds", "fast"] > 0
    assert samples[("convscope_workers",)] == 1
    assert samples[("convscope_broker_up",)] == 1


async def test_what_gave_way_is_counted(client: httpx.AsyncClient, settings: ServiceSettings) -> None:
    tight = JobStore.connect(settings.redis_url or "", settings.model_copy(update={"max_stored_bytes": 10}))
    try:
        for number in range(3):
            await tight.pieces.keep(str(number) * 64, {"0": bytes([number]) * 8})
    finally:
        await tight.close()
    assert 'convscope_evictions{kind="piece",reason="bytes"} 2.0' in (await client.get("/metrics")).text


async def test_each_application_has_its_own_metrics(app: FastAPI, settings: ServiceSettings, store: JobStore) -> None:
    async with client_of(app) as client, client_of(create_app(settings, store)) as other:
        await client.get("/livez")
        assert 'route="/livez"' in (await client.get("/metrics")).text
        assert 'route="/livez"' not in (await other.get("/metrics")).text


@pytest.mark.parametrize("given", ["abc-123_x:4.5", "A" * 128])
async def test_a_safe_request_id_is_kept(client: httpx.AsyncClient, worker: FakeWorker, given: str) -> None:
    answer = await client.post("/v1/jobs", json=cam(), headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] == given
    assert (await worker.claim()).request_id == given


@pytest.mark.parametrize("given", [None, "", "A" * 129, "two words", "<script>", "-dash"])
async def test_an_unsafe_request_id_is_replaced(client: httpx.AsyncClient, given: str | None) -> None:
    headers = {} if given is None else {"X-Request-ID": given}
    first, second = [(await client.get("/v1/methods", headers=headers)).headers["x-request-id"] for _ in range(2)]
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", first)
    assert first != second


async def test_every_request_is_logged_once_with_its_id(client: httpx.AsyncClient) -> None:
    with capture_logs([merge_contextvars]) as logs:
        await client.get("/v1/jobs/nothing", headers={"X-Request-ID": "mine"})
    lines = [line for line in logs if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"], line["request_id"]) for line in lines] == [
        ("GET", "/v1/jobs/{job_id}", 404, "mine")
    ]


async def test_a_submission_is_logged_with_its_job_and_request(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    with capture_logs([merge_contextvars]) as logs:
        job = (await client.post("/v1/jobs", json=cam(), headers={"X-Request-ID": "mine"})).json()
    (line,) = [line for line in logs if line["event"] == "job_submitted"]
    assert (line["job_id"], line["request_id"], line["method"], line["state"]) == (job["id"], "mine", "grad_cam", "queued")


@pytest.mark.parametrize(
    ("verb", "path"), [("GET", "/nowhere"), ("GET", "/v1"), ("POST", "/v1/jobs/x/y/z"), ("GET", "/v1/jobs/"), ("GET", "/V1/jobs")]
)
async def test_an_unknown_address_is_not_found(client: httpx.AsyncClient, verb: str, path: str) -> None:
    assert path in problem_of(await client.request(verb, path), 404, "not_found").detail


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        ("PUT", "/v1/jobs", "GET, HEAD, POST"),
        ("PATCH", "/v1/jobs/01K5YQZ7T8Y1W4V9N3M2XQJ6RD", "DELETE, GET, HEAD"),
        ("GET", "/v1/grad_cam", "POST"),
        ("DELETE", "/livez", "GET, HEAD"),
    ],
)
async def test_other_verbs_are_refused(client: httpx.AsyncClient, verb: str, path: str, allowed: str) -> None:
    answer = await client.request(verb, path)
    assert problem_of(answer, 405, "method_not_allowed").allowed == allowed
    assert answer.headers["allow"] == allowed


async def test_an_unexpected_error_is_logged_and_not_shown(
    app: FastAPI, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("/secret/path of the server")

    monkeypatch.setattr(services_of(app).store, "jobs", broken)
    with capture_logs() as logs:
        answer = await client.get("/v1/jobs")
    problem = problem_of(answer, 500, "internal")
    assert "secret" not in answer.text
    assert problem.request_id == answer.headers["x-request-id"]
    assert [line["event"] for line in logs] == ["request_failed", "request"]
    assert logs[0]["exc_info"]


async def test_no_origin_may_call_by_default(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/methods", headers={"Origin": "https://example.org"})
    assert "access-control-allow-origin" not in answer.headers


async def test_origins_that_may_call(settings: ServiceSettings, store: JobStore) -> None:
    told = settings.model_copy(update={"cors_origins": ("https://example.org",)})
    async with client_of(create_app(told, store)) as client:
        answer = await client.get("/v1/jobs/x", headers={"Origin": "https://example.org"})
        assert answer.headers["access-control-allow-origin"] == "https://example.org"
        assert "Location" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers
        other = await client.get("/v1/jobs/x", headers={"Origin": "https://example.com"})
        assert "access-control-allow-origin" not in other.headers
        asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "Prefer"}
        assert (await client.options("/v1/jobs", headers=asked)).status_code == 200


async def test_the_root_names_the_addresses_to_start_from(client: httpx.AsyncClient) -> None:
    welcome = (await client.get("/")).json()
    for address in ("docs", "openapi", "methods", "models"):
        assert (await client.get(welcome[address])).status_code == 200


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CORS_ORIGINS": "https://a.example, https://b.example",
        "IMAGE_FORMATS": "png,tiff",
        "MAX_IMAGE_PIXELS": "1000",
        "MAX_FILTERS": "7",
        "DEFAULT_WAIT": "2.5",
    }.items():
        monkeypatch.setenv(f"CONVSCOPE_{name}", value)
    settings = ServiceSettings()
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.image_limits.formats == ("PNG", "TIFF")
    assert settings.image_limits.max_pixels == 1000
    assert settings.method_limits.max_filters == 7
    assert settings.default_wait == 2.5


async def test_draining_cuts_waits_short(app: FastAPI, client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = (await client.post("/v1/jobs", json=cam())).json()["id"]
    waiting = asyncio.create_task(client.get(f"/v1/jobs/{job_id}", params={"wait": 60}))
    following = asyncio.create_task(client.get(f"/v1/jobs/{job_id}/events"))
    services_of(app).drain.begin()
    assert (await waiting).json()["state"] == "queued"
    assert (await following).status_code == 200
