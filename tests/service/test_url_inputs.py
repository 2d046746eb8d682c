"""Photos that a request names by their addresses: they are fetched, checked and stored as if they had been uploaded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from jobstore.store import JobStore
from service.app import create_app
from service.batches.feeder import BatchFeeder
from service.dependencies import services_of
from service.settings import ServiceSettings
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, png
from tests.service.outbound.tls_server import TlsServer, ok, redirect, tls_server
from tests.service.test_errors import problem_of
from tests.service.test_submit import cam


@pytest.fixture
async def server() -> AsyncIterator[TlsServer]:
    async with tls_server() as server:
        server.answers = {f"/{seed}.png": ok(png(9, 5, seed), "Content-Type: text/html") for seed in range(4)}
        yield server


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    return settings.model_copy(update={"url_inputs": True})


@pytest.fixture
async def client(settings: ServiceSettings, store: JobStore, server: TlsServer) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(settings, store, server.client())) as client:
        yield client


def asked(server: TlsServer, path: str = "/1.png", **changes: Any) -> dict[str, Any]:
    return cam(image={"url": server.url(path)}) | changes


async def test_a_photo_is_fetched_and_becomes_an_upload(
    client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker, store: JobStore
) -> None:
    answer = await client.post("/v1/jobs", json=asked(server))
    assert answer.status_code == 202, answer.text
    assert await store.images.file_of(await worker.claim()) == png(9, 5, 1)
    (upload,) = (await client.get("/v1/images")).json()["items"]
    assert (upload["format"], upload["width"], upload["height"]) == ("PNG", 9, 5)
    assert (await client.post("/v1/jobs", json=cam(image={"id": upload["id"]}))).status_code == 202
    assert await worker.nothing_queued(), "the upload is the same photo, so it joins the same execution"


async def test_the_forms_take_an_address_in_place_of_a_file(
    client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker, store: JobStore
) -> None:
    headers = {"Prefer": "respond-async"}
    answer = await client.post("/v1/grad_cam", data={"model": "vgg16", "image": server.url("/2.png")}, headers=headers)
    assert answer.status_code == 202, answer.text
    assert await store.images.file_of(await worker.claim()) == png(9, 5, 2)
    form = {"model": "vgg16", "images": [server.url("/1.png"), server.url("/2.png")], "channels": "1"}
    answer = await client.post("/v1/top_patches", data=form, headers=headers)
    assert answer.status_code == 202, answer.text
    images = json.loads((await worker.claim("slow")).params)["images"]
    assert [await store.images.file(each) for each in images] == [png(9, 5, 1), png(9, 5, 2)]


async def test_images_may_be_ids_and_addresses(client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker) -> None:
    uploaded = (await client.post("/v1/images", files={"image": png(9, 5, 0)})).json()["id"]
    images = [server.url("/3.png"), uploaded, server.url("/0.png")]
    body = {"method": "top_patches", "model": "vgg16", "params": {"images": images, "channels": [1]}}
    answer = await client.post("/v1/jobs", json=body)
    assert answer.status_code == 202, answer.text
    shown = answer.json()["params"]["images"]
    assert len(shown) == 2, "the photo at the last address is the one that was uploaded"
    assert (shown[1], all(each.startswith("img_") for each in shown)) == (uploaded, True)
    body["params"]["images"] = [uploaded, server.url("/none.png"), "https://10.0.0.1/x"]
    server.answers["/none.png"] = ok(b"no photo")
    assert (await client.post("/v1/jobs", json=body)).json()["pointer"] in ("/params/images/1", "/params/images/2")


@pytest.mark.slow
async def test_what_is_at_the_address_decides_and_not_what_its_server_says(
    client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker
) -> None:
    server.answers["/page"] = ok(b"<html>", "Content-Type: image/png")
    problem = problem_of(await client.post("/v1/jobs", json=asked(server, "/page")), 415, "unsupported_format")
    assert problem.pointer == "/image/url"


async def test_every_failure_is_a_problem_at_its_place(client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker) -> None:
    server.answers |= {"/gone": b"HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n", "/inside": redirect("https://10.0.0.1/x.png")}
    for image, status, code in (
        ({"url": "https://10.0.0.1/x.png"}, 422, "url_refused"),
        ({"url": "http://photos.example/x.png"}, 422, "url_refused"),
        ({"url": server.url("/inside")}, 422, "url_refused"),
        ({"url": server.url("/gone")}, 502, "url_unavailable"),
    ):
        problem = problem_of(await client.post("/v1/jobs", json=cam(image=image)), status, code)
        assert problem.pointer == "/image/url"
    problem = problem_of(await client.post("/v1/jobs", json=cam(image={"url": 1})), 422, "invalid_parameters")
    assert problem.pointer == "/image/url"
    assert await worker.nothing_queued()
    assert (await client.get("/v1/images")).json()["items"] == []


async def test_a_key_asks_for_the_same_address_and_not_for_the_same_photo(
    client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker
) -> None:
    headers = {"Idempotency-Key": "one"}
    first = (await client.post("/v1/jobs", json=asked(server), headers=headers)).json()["id"]
    server.answers["/1.png"] = ok(png(9, 5, 8))
    assert (await client.post("/v1/jobs", json=asked(server), headers=headers)).json()["id"] == first
    problem_of(await client.post("/v1/jobs", json=asked(server, "/2.png"), headers=headers), 422, "idempotency_key_reused")


async def test_it_is_off_unless_the_operator_turns_it_on(
    settings: ServiceSettings, store: JobStore, server: TlsServer, worker: FakeWorker
) -> None:
    off = settings.model_copy(update={"url_inputs": False})
    images = {"method": "top_patches", "model": "vgg16", "params": {"images": [server.url("/1.png")], "channels": [1]}}
    async with client_of(create_app(off, store, server.client())) as client:
        for body, pointer in ((asked(server), "/image"), (images, "/params/images/0")):
            problem = problem_of(await client.post("/v1/jobs", json=body), 422, "invalid_parameters")
            assert (problem.pointer, "does not fetch images by URL" in problem.detail) == (pointer, True)
    assert server.requests == []


@pytest.mark.slow
async def test_items_of_a_batch_fetch_their_photos_and_fail_alone(
    settings: ServiceSettings, store: JobStore, server: TlsServer, worker: FakeWorker
) -> None:
    server.answers["/gone"] = b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n"
    app = create_app(settings, store, server.client())
    async with client_of(app) as client:
        defaults = {"method": "grad_cam", "model": "vgg16", "image": {"url": server.url("/1.png")}}
        items = [{"params": {"alpha": 0.3}}, {"params": {"alpha": 0.4}}, {"image": {"url": server.url("/2.png")}}]
        items.append({"image": {"url": server.url("/gone")}})
        made = await client.post("/v1/batches", json={"defaults": defaults, "items": items})
        assert made.status_code == 202, made.text
        assert len(server.requests) == 1, "the photo of the defaults is fetched once"
        feeder = BatchFeeder(services_of(app))
        feeder.start()
        working = asyncio.gather(*(worker.work() for _ in range(3)))
        batch = (await client.get(f"/v1/batches/{made.json()['id']}", params={"wait": 20})).json()
        await working
        await feeder.close()
        assert (batch["state"], batch["counts"]["succeeded"]) == ("partial", 3)
        rows = [json.loads(row) for row in (await client.get(f"/v1/batches/{batch['id']}/results")).text.splitlines()]
        assert [(row["index"], row["error"]["code"]) for row in rows if row["error"]] == [(3, "url_unavailable")]
    assert len(server.requests) == 3
