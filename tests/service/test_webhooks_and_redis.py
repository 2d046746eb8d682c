"""Webhooks while Redis restarts, and with several shards: each end is told, and none is lost."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.exceptions import ResponseError

from jobstore.keys import Shard
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from jobstore.webhooks import Delivery
from processes.embedded_redis import EmbeddedRedis
from schemas.errors import BrokerUnavailable
from service.app import create_app
from service.settings import ServiceSettings
from service.webhooks import deliverer as deliverer_module
from tests.schemas.tiny import description
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, catalog_of, png
from tests.service.outbound.tls_server import TlsServer, ok, tls_server
from tests.service.test_webhooks import FAILED, delivering, hooked, none_waits, received
from tests.wait import until


@pytest.fixture
async def server() -> AsyncIterator[TlsServer]:
    async with tls_server() as server:
        server.answers = {"/hook": ok(b"")}
        yield server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliverer_module, "RETRY_AFTER", (0.05,) * 200)
    monkeypatch.setattr(deliverer_module, "_LOOK_EVERY", 0.02)


@pytest.fixture
def store_settings(store_settings: StoreSettings) -> StoreSettings:
    return store_settings.model_copy(update={"shards": 3})


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    return settings.model_copy(update={"webhooks": True})


async def test_webhooks_of_three_shards_are_delivered(
    server: TlsServer, settings: ServiceSettings, store: JobStore, worker: FakeWorker
) -> None:
    app = create_app(settings, store, server.client())
    shards: set[int] = set()
    async with client_of(app) as client:
        jobs = [await _submitted(client, server, number) for number in range(9)]
        for _ in jobs:
            shards.add((await worker.work()).shard)
        assert shards == {0, 1, 2}
        async with delivering(app):
            await until(lambda: none_waits(store))
    assert sorted(_told(server)) == sorted(jobs)


async def test_a_shard_that_is_away_keeps_no_webhooks_of_other_shards(
    server: TlsServer, settings: ServiceSettings, store: JobStore, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, connection, away = create_app(settings, store, server.client()), store.webhooks._connection, {1}
    run = connection.script

    async def script(name: str, shard: Shard, /, *payload: bytes | str, **arguments: Any) -> Any:
        if name == "claim_deliveries" and shard in away:
            raise BrokerUnavailable("Redis does not answer.")
        return await run(name, shard, *payload, **arguments)

    monkeypatch.setattr(connection, "script", script)
    async with client_of(app) as client:
        jobs = [await _submitted(client, server, number) for number in range(9)]
        for _ in jobs:
            await worker.work()
        in_shard_1 = {job for job in jobs if connection.shard_of(job) == 1}
        assert 0 < len(in_shard_1) < 9
        async with delivering(app):
            await until(lambda: len(server.requests) == 9 - len(in_shard_1))
            assert set(_told(server)) == set(jobs) - in_shard_1
            away.clear()
            await until(lambda: none_waits(store))
    assert sorted(_told(server)) == sorted(jobs)


async def test_webhooks_go_on_after_an_error_that_nobody_expected(
    server: TlsServer, settings: ServiceSettings, store: JobStore, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, claim, failures = create_app(settings, store, server.client()), store.webhooks.claim, iter([ResponseError("BUSY"), KeyError("x")])

    async def claim_after_failures(lease: float) -> list[Delivery]:
        for failure in failures:
            raise failure
        return await claim(lease)

    monkeypatch.setattr(store.webhooks, "claim", claim_after_failures)
    async with client_of(app) as client, delivering(app):
        job = await _submitted(client, server, 1)
        await worker.work()
        await until(lambda: none_waits(store))
    assert _told(server) == [job]


@pytest.mark.slow
async def test_a_webhook_is_told_although_redis_is_killed_before_its_next_attempt(server: TlsServer, tmp_path: Path) -> None:
    server.answers["/hook"] = FAILED
    redis = EmbeddedRedis.start(tmp_path, appendfsync="always")
    settings = ServiceSettings(redis_url=redis.url, data_dir=tmp_path, models_file=tmp_path / "none.toml", min_free_disk=0, webhooks=True)
    settings = settings.model_copy(update={"webhook_failures": 1000})
    store = JobStore.connect(redis.url, settings)
    app, worker = create_app(settings, store, server.client()), FakeWorker(store, catalog_of(settings.models_file, settings.models_dir))
    await worker.publish(description())
    try:
        async with client_of(app) as client, delivering(app):
            job = await _submitted(client, server, 1)
            secret = (await client.get("/v1/webhooks/secret")).json()["secret"]
            await worker.work()
            await until(lambda: len(server.requests) >= 2)
            redis.kill()
            tried = len(server.requests)
            redis = EmbeddedRedis.start(tmp_path, appendfsync="always")
            await until(lambda: len(server.requests) > tried + 1)
            server.answers["/hook"] = ok(b"")
            await until(lambda: none_waits(store))
            assert (await client.get("/v1/webhooks/secret")).json()["secret"] == secret
    finally:
        await store.close()
        redis.stop()
    assert {headers["webhook-id"] for headers, _ in received(server)} == {f"msg_{job}"}
    assert set(_told(server)) == {job}


async def _submitted(client: httpx.AsyncClient, server: TlsServer, number: int) -> str:
    image = {"base64": base64.b64encode(png(9, 5, number)).decode()}
    answer = await client.post("/v1/jobs", json=hooked(server, image=image))
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def _told(server: TlsServer) -> list[str]:
    return [json.loads(body)["data"]["id"] for _, body in received(server)]
