"""Webhooks on a real TLS server: signed, tried again, given up, and never sent where they may not go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from standardwebhooks import Webhook

from jobstore.store import JobStore
from service.app import create_app
from service.batches.feeder import BatchFeeder
from service.dependencies import services_of
from service.settings import ServiceSettings
from service.webhooks import deliverer as deliverer_module
from service.webhooks.deliverer import WebhookDeliverer
from tests.redis_servers import open_redis
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker
from tests.service.keys import caller
from tests.service.outbound.tls_server import TlsServer, ok, tls_server
from tests.service.test_errors import problem_of
from tests.service.test_submit import cam
from tests.wait import until

FAILED = b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
async def server() -> AsyncIterator[TlsServer]:
    async with tls_server() as server:
        server.answers = {"/hook": ok(b"")}
        yield server


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    return settings.model_copy(update={"webhooks": True})


@pytest.fixture
def app(settings: ServiceSettings, store: JobStore, server: TlsServer) -> FastAPI:
    return create_app(settings, store, server.client())


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliverer_module, "RETRY_AFTER", (0.05, 0.05))
    monkeypatch.setattr(deliverer_module, "_LOOK_EVERY", 0.02)


@asynccontextmanager
async def delivering(app: FastAPI) -> AsyncIterator[None]:
    deliverer = WebhookDeliverer(services_of(app))
    deliverer.start()
    yield
    await deliverer.close()


def hooked(server: TlsServer, *events: str, **changes: Any) -> dict[str, Any]:
    return cam(webhook={"url": server.url("/hook"), **({"events": events} if events else {})}, **changes)


def received(server: TlsServer) -> list[tuple[dict[str, str], bytes]]:
    """Return the headers and the body of each webhook that has come."""
    found: list[tuple[dict[str, str], bytes]] = []
    for request in server.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line.decode().partition(": ") for line in head.split(b"\r\n")[1:]]
        found.append(({name.lower(): value for name, _, value in lines}, body))
    return found


async def none_waits(store: JobStore) -> bool:
    return await store.webhooks.waiting() == 0


async def test_the_end_of_a_job_is_told_signed_and_thin(
    app: FastAPI, client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker, store: JobStore
) -> None:
    job = (await client.post("/v1/jobs", json=hooked(server))).json()["id"]
    secret = (await client.get("/v1/webhooks/secret")).json()["secret"]
    async with delivering(app):
        await worker.work()
        await until(lambda: len(server.requests) == 1)
        await until(lambda: none_waits(store))
    ((headers, body),) = received(server)
    payload = Webhook(secret).verify(body, headers)
    assert (payload["type"], payload["data"]) == ("job.succeeded", {"id": job, "state": "succeeded"})
    assert headers["webhook-id"] == f"msg_{job}"
    assert headers["content-type"] == "application/json"
    assert 'convscope_webhooks_total{outcome="delivered"} 1.0' in (await client.get("/metrics")).text
    (endpoint,) = (await client.get("/v1/webhooks/endpoints")).json()["items"]
    assert (endpoint["url"], endpoint["failures"], endpoint["error"]) == (server.url("/hook"), 0, None)


async def test_only_the_wanted_states_are_told_and_a_cached_result_at_once(
    app: FastAPI, client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker, store: JobStore
) -> None:
    await client.post("/v1/jobs", json=hooked(server, "failed"))
    canceled = (await client.post("/v1/jobs", json=hooked(server, "canceled", params={"alpha": 0.1}))).json()["id"]
    await client.post(f"/v1/jobs/{canceled}/cancel")
    await worker.work()
    cached = (await client.post("/v1/jobs", json=hooked(server, "succeeded"))).json()
    assert cached["cached"]
    async with delivering(app):
        await until(lambda: none_waits(store))
    told = {json.loads(body)["data"]["id"]: json.loads(body)["type"] for _, body in received(server)}
    assert told == {canceled: "job.canceled", cached["id"]: "job.succeeded"}


async def test_what_fails_is_tried_again_with_the_same_id_and_given_up_in_the_end(
    app: FastAPI, client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker, store: JobStore
) -> None:
    server.answers["/hook"] = FAILED
    job = (await client.post("/v1/jobs", json=hooked(server))).json()["id"]
    await worker.work()
    async with delivering(app):
        await until(lambda: len(server.requests) == 3)
        await until(lambda: none_waits(store))
    assert [headers["webhook-id"] for headers, _ in received(server)] == [f"msg_{job}"] * 3
    (endpoint,) = (await client.get("/v1/webhooks/endpoints")).json()["items"]
    assert (endpoint["failures"], "status 500" in endpoint["error"], endpoint["disabled_until"]) == (3, True, None)


async def test_a_webhook_whose_sender_dies_is_sent_by_another(
    app: FastAPI, client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker, store: JobStore
) -> None:
    await client.post("/v1/jobs", json=hooked(server))
    await worker.work()
    (lost,) = await store.webhooks.claim(0.2)
    assert await store.webhooks.claim(0.2) == [], "it is under a lease"
    async with delivering(app):
        await until(lambda: len(server.requests) == 1)
        await until(lambda: none_waits(store))
    await store.webhooks.end(lost, 0.0)
    assert await store.webhooks.waiting() == 0, "who has lost the lease changes nothing"


@pytest.mark.slow
async def test_a_dead_endpoint_is_disabled_and_said_so(
    settings: ServiceSettings, store: JobStore, server: TlsServer, worker: FakeWorker
) -> None:
    server.answers |= {"/hook": FAILED, "/gone": b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"}
    app = create_app(settings.model_copy(update={"webhook_failures": 2}), store, server.client())
    async with client_of(app) as client:
        for path in ("/hook", "/gone"):
            await client.post("/v1/jobs", json=cam(webhook={"url": server.url(path)}))
        await worker.work()
        async with delivering(app):
            await until(lambda: none_waits(store))
        assert len(server.requests) == 3, "two attempts at one endpoint, and one at the other"
        listed = (await client.get("/v1/webhooks/endpoints")).json()["items"]
        assert all(each["disabled_until"] for each in listed)
        problem = problem_of(await client.post("/v1/jobs", json=hooked(server)), 409, "state_conflict")
        assert (problem.pointer, "disabled until" in problem.detail) == ("/webhook/url", True)


@pytest.mark.slow
async def test_a_batch_tells_its_end_once_and_its_items_have_no_webhook(
    app: FastAPI, client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker, store: JobStore
) -> None:
    hook = {"url": server.url("/hook"), "events": ["partial"]}
    lines = [{"defaults": {"method": "grad_cam", "model": "vgg16"}, "webhook": hook}, {"image": cam()["image"]}, cam(webhook=hook)]
    body = "\n".join(map(json.dumps, lines))
    made = await client.post("/v1/batches", content=body, headers={"Content-Type": "application/x-ndjson"})
    assert made.status_code == 202, made.text
    feeder = BatchFeeder(services_of(app))
    feeder.start()
    async with delivering(app):
        await worker.work()
        await until(lambda: len(server.requests) == 1)
    await feeder.close()
    ((_, told),) = received(server)
    assert json.loads(told)["type"] == "batch.partial"
    assert json.loads(told)["data"] == {"id": made.json()["id"], "state": "partial"}


async def test_each_owner_has_a_secret_and_both_sign_after_a_rotation(
    settings: ServiceSettings, store: JobStore, server: TlsServer, worker: FakeWorker
) -> None:
    app = create_app(settings.model_copy(update={"auth": "required"}), store, server.client())
    async with caller(app, store, "ada") as ada, caller(app, store, "bob") as bob, caller(app, store, "eve", "read") as eve:
        first = (await ada.get("/v1/webhooks/secret")).json()
        assert (first["secret"].startswith("whsec_"), first["previous_until"]) == (True, None)
        assert (await ada.get("/v1/webhooks/secret")).json() == first
        assert (await bob.get("/v1/webhooks/secret")).json()["secret"] != first["secret"]
        problem_of(await eve.get("/v1/webhooks/secret"), 403, "scope_missing")
        second = (await ada.post("/v1/webhooks/secret")).json()
        assert (second["secret"] != first["secret"], second["previous_until"] is not None) == (True, True)
        await ada.post("/v1/jobs", json=hooked(server))
        await worker.work()
        async with delivering(app):
            await until(lambda: none_waits(store))
        ((headers, body),) = received(server)
        for secret in (first["secret"], second["secret"]):
            assert Webhook(secret).verify(body, headers)
        assert len((await ada.get("/v1/webhooks/endpoints")).json()["items"]) == 1
        assert (await bob.get("/v1/webhooks/endpoints")).json()["items"] == []


@pytest.mark.slow
async def test_what_is_wrong_is_said_before_anything_is_queued(
    settings: ServiceSettings, store: JobStore, server: TlsServer, worker: FakeWorker, client: httpx.AsyncClient
) -> None:
    for webhook, code, pointer in (
        ({"url": "https://10.0.0.1/"}, "url_refused", "/webhook/url"),
        ({"url": "http://photos.example/"}, "url_refused", "/webhook/url"),
        ({"url": server.url("/hook"), "events": ["done"]}, "invalid_parameters", "/webhook/events/0"),
        ({"events": ["failed"]}, "invalid_parameters", "/webhook/url"),
    ):
        assert problem_of(await client.post("/v1/jobs", json=cam(webhook=webhook)), 422, code).pointer == pointer
        assert problem_of(await client.post("/v1/batches", json={"webhook": webhook, "items": [cam()]}), 422, code).pointer == pointer
    off = create_app(settings.model_copy(update={"webhooks": False}), store, server.client())
    full = create_app(settings.model_copy(update={"max_webhooks": 1}), store, server.client())
    async with client_of(off) as one, client_of(full) as other:
        assert problem_of(await one.post("/v1/jobs", json=hooked(server)), 422, "invalid_parameters").pointer == "/webhook"
        assert await worker.nothing_queued()
        assert (await other.post("/v1/jobs", json=hooked(server))).status_code == 202
        await worker.work()
        problem_of(await other.post("/v1/jobs", json=hooked(server)), 503, "queue_full")


@pytest.mark.slow
async def test_an_address_that_became_private_gets_nothing(
    app: FastAPI, client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker, store: JobStore, settings: ServiceSettings
) -> None:
    job = (await client.post("/v1/jobs", json=hooked(server))).json()["id"]
    server.hosts = {"photos.example": ["10.0.0.1"]}
    await worker.work()
    async with delivering(app):
        await until(lambda: none_waits(store))
    assert server.requests == []
    assert "not public" in (await client.get("/v1/webhooks/endpoints")).json()["items"][0]["error"]
    with open_redis(settings.redis_url or "") as redis:
        assert not redis.exists(f"convscope:{{0}}:webhook:{job}")
        await asyncio.sleep(0)
