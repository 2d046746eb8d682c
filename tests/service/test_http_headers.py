"""HEAD beside GET, the security headers of every answer, numbers that JSON does not have, and revoked keys of requests that last."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from jobstore.store import JobStore
from service import key_ring, revocation
from service.app import create_app
from service.security_headers import SECURITY_HEADERS
from service.settings import ServiceSettings
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker
from tests.service.keys import made_key
from tests.service.test_errors import problem_of
from tests.service.test_submit import cam


async def test_head_answers_where_get_does(url: str, worker: FakeWorker) -> None:
    """A real server is asked, because the length of the content must be that of GET although none is sent."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        job_id = (await client.post("/v1/jobs", json=cam())).json()["id"]
        await worker.work()
        paths = [
            "/",
            "/livez",
            "/metrics",
            "/docs",
            "/openapi.json",
            "/v1/methods",
            "/v1/models",
            "/v1/jobs",
            "/v1/jobs/nothing",
            "/nowhere",
        ]
        for path in [*paths, f"/v1/jobs/{job_id}", f"/v1/jobs/{job_id}/artifacts/overlay", f"/v1/jobs/{job_id}/artifacts/map?format=npz"]:
            got, head = await client.get(path), await client.head(path)
            assert (head.status_code, head.content) == (got.status_code, b""), path
            same = {"content-type", "etag", "cache-control", "content-disposition"} | ({"content-length"} if path != "/metrics" else set())
            assert {name: head.headers.get(name) for name in same} == {name: got.headers.get(name) for name in same}, path
        assert (await client.head("/v1/grad_cam")).headers["allow"] == "POST"
        assert 'convscope_http_requests_total{method="HEAD",route="/livez",status="200"} 1.0' in (await client.get("/metrics")).text


async def test_head_of_an_event_stream_ends(url: str, worker: FakeWorker) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=10) as client:
        job_id = (await client.post("/v1/jobs", json=cam())).json()["id"]
        answer = await client.head(f"/v1/jobs/{job_id}/events")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert (await client.get("/livez")).status_code == 200


async def test_every_answer_has_the_security_headers(settings: ServiceSettings, store: JobStore, worker: FakeWorker) -> None:
    app = create_app(settings.model_copy(update={"cors_origins": ("https://a.example",), "auth": "required"}), store)
    key = await made_key(store, "ada")
    async with client_of(app) as client:
        preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
        answers = [
            await client.get("/v1/jobs"),
            await client.get("/livez"),
            await client.get("/nowhere"),
            await client.put("/livez"),
            await client.options("/v1/jobs", headers=preflight),
            await client.get("/problems", headers={"Accept": "text/html"}),
            await client.post("/v1/jobs", content=b"x" * 34_000_000, headers={"X-API-Key": key.key}),
            await client.post("/v1/jobs", json=cam(), headers={"X-API-Key": key.key}),
            await client.get("/v1/methods", headers={"X-API-Key": key.key}),
        ]
    assert [answer.status_code for answer in answers] == [401, 200, 404, 405, 200, 200, 413, 202, 200]
    for answer in answers:
        assert set(map(str.lower, SECURITY_HEADERS)) <= set(answer.headers)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


async def test_pages_of_other_origins_may_show_nothing_unless_they_are_listed(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).headers["cross-origin-resource-policy"] == "same-origin"


async def test_the_documentation_runs_its_own_script_only(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs")
    policy = answer.headers["content-security-policy"]
    scripts = next(rule for rule in policy.split(";") if rule.strip().startswith("script-src"))
    assert "unsafe" not in scripts
    assert "'sha256-" in scripts
    assert answer.text.count("<script>") == 1


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "[1e400]"])
async def test_what_is_no_finite_number_is_refused(client: httpx.AsyncClient, worker: FakeWorker, number: str) -> None:
    text = f'{{"method": "grad_cam", "model": "vgg16", "params": {{"alpha": {number}}}}}'
    problem = problem_of(await client.post("/v1/jobs", content=text, headers={"Content-Type": "application/json"}), 400, "malformed_body")
    assert "number" in problem.detail or "valid JSON" in problem.detail
    form = {"model": "vgg16", "alpha": number}
    assert problem_of(await client.post("/v1/grad_cam", data=form, files={"image": b"x"}), 422, "invalid_parameters").pointer == "/alpha"


@pytest.mark.parametrize("wait", ["NaN", "inf", "1e999", "-1"])
async def test_a_wait_is_a_finite_number(client: httpx.AsyncClient, worker: FakeWorker, wait: str) -> None:
    job_id = (await client.post("/v1/jobs", json=cam())).json()["id"]
    problem_of(await client.get(f"/v1/jobs/{job_id}", params={"wait": wait}), 422, "invalid_parameters")


async def test_a_revoked_key_ends_streams_and_waits(
    settings: ServiceSettings, store: JobStore, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_ring, "MEMORY_SECONDS", 0.0)
    monkeypatch.setattr(revocation, "CHECK_SECONDS", 0.1)
    app: FastAPI = create_app(settings.model_copy(update={"auth": "required"}), store)
    key = await made_key(store, "ada")
    async with client_of(app) as client:
        client.headers["X-API-Key"] = key.key
        job_id = (await client.post("/v1/jobs", json=cam())).json()["id"]
        following = asyncio.create_task(client.get(f"/v1/jobs/{job_id}/events"))
        waiting = asyncio.create_task(client.get(f"/v1/jobs/{job_id}", params={"wait": 30}))
        await asyncio.sleep(0.5)  # both are looked at a few times while the key is valid, and go on
        assert not following.done()
        assert not waiting.done()
        await store.api_keys.revoke(key.id)
        async with asyncio.timeout(10):
            stream, answer = await following, await waiting
    assert (stream.status_code, "event: done" in stream.text) == (200, False)
    problem_of(answer, 401, "unauthenticated")
