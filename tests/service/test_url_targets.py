"""Images that a parameter names by their addresses: that of a similarity, the mask of a region, and another photo."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator
from typing import Any, Union

import httpx
import pytest
from pydantic import JsonValue, TypeAdapter

from jobstore.store import JobStore
from schemas.images import IMAGE_ID_PATTERN, IMAGES_ITEM_PATTERN, NAMED_IMAGE_PATTERN
from schemas.methods import METHODS
from service.app import create_app
from service.batches.feeder import BatchFeeder
from service.dependencies import services_of
from service.settings import ServiceSettings
from tests.schemas.tiny import description
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, png
from tests.service.outbound.tls_server import TlsServer, redirect
from tests.service.test_errors import problem_of
from tests.service.test_target_images import SEGMENTATION
from tests.service.test_url_inputs import client, server, settings

__all__ = ["client", "server", "settings"]


def body(params: dict[str, Any], method: str = "grad_cam", photo: bytes | None = None) -> dict[str, Any]:
    given = {"request": (None, json.dumps({"method": method, "model": "vgg16", "params": params}), "application/json")}
    return given | {"image": ("photo.png", photo or png(9, 5, 0), "image/png")}


def similar(image: Any) -> dict[str, Any]:
    return {"target": {"similarity": {"image": image}}}


def masked(mask: Any) -> dict[str, Any]:
    return {"target": {"region": {"class": 1, "where": {"mask": mask}}}}


def swapped(image: Any) -> dict[str, Any]:
    return {"action": "swap", "other_image": image}


@pytest.fixture
async def segmenter(worker: FakeWorker) -> FakeWorker:
    await worker.publish(description(classes=None, heads=(SEGMENTATION,)))
    return worker


async def test_an_address_takes_the_place_of_an_id_in_a_target(
    client: httpx.AsyncClient, server: TlsServer, segmenter: FakeWorker, store: JobStore
) -> None:
    for number, params in ((1, similar), (2, masked)):
        url = server.url(f"/{number}.png")
        answer = await client.post("/v1/jobs", files=body(params({"url": url})))
        assert answer.status_code == 202, answer.text
        execution = await segmenter.claim()
        target = json.loads(execution.params)["target"]
        assert target == answer.json()["params"]["target"]
        image_id = target["similarity"]["image"] if number == 1 else target["region"]["where"]["mask"]
        assert await store.images.file_of(execution, image_id) == png(9, 5, number)
        assert (await client.get(f"/v1/images/{image_id}")).content == png(9, 5, number)
        same = await client.post("/v1/jobs", files=body(params(image_id)))
        assert same.status_code == 202
        assert await segmenter.nothing_queued(), "the upload is the same image, so its job joins the same execution"


async def test_another_photo_and_the_mask_of_measures_are_fetched(
    client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker, store: JobStore
) -> None:
    await worker.publish(description())
    for image in ({"url": server.url("/3.png")}, server.url("/3.png")):
        assert (await client.post("/v1/jobs", files=body(swapped(image), "intervene"))).status_code == 202
    execution = await worker.claim("slow")
    assert await store.images.file_of(execution, json.loads(execution.params)["other_image"]) == png(9, 5, 3)
    assert await worker.nothing_queued(), "both forms of an address ask for the same job"
    fields = {"model": "vgg16", "measures": '["relevance_mass"]', "region": json.dumps({"mask": {"url": server.url("/1.png")}})}
    answer = await client.post("/v1/map_measures", data=fields, files={"image": png(9, 5, 0)}, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    mask = json.loads((await worker.claim("slow")).params)["region"]["mask"]
    assert await store.images.file(mask) == png(9, 5, 1)
    problem = problem_of(await client.post("/v1/map_measures", data=fields, files={"image": png(8, 5, 0)}), 422, "invalid_parameters")
    assert (problem.pointer, problem.allowed, problem.got) == ("/region/mask", "8×5", "9×5")


async def test_the_masks_of_several_photos_are_fetched(
    client: httpx.AsyncClient, server: TlsServer, worker: FakeWorker, store: JobStore
) -> None:
    await worker.publish(description())
    photos = [(await client.post("/v1/images", files={"image": png(9, 5, seed)})).json()["id"] for seed in (4, 5)]
    regions = [{"mask": {"url": server.url("/1.png")}}, {"mask": server.url("/2.png")}]
    asked = {"images": photos, "methods": ["grad_cam", "saliency"], "measures": ["relevance_mass"], "regions": regions}
    answer = await client.post("/v1/jobs", json={"method": "rank_methods", "model": "vgg16", "params": asked})
    assert answer.status_code == 202, answer.text
    masks = [each["mask"] for each in json.loads((await worker.claim("slow")).params)["regions"]]
    assert [await store.images.file(each) for each in masks] == [png(9, 5, 1), png(9, 5, 2)]
    regions = [{"mask": photos[1]}, {"mask": {"url": "https://10.0.0.1/x.png"}}]
    wrong = {"method": "rank_methods", "model": "vgg16", "params": asked | {"regions": regions}}
    assert problem_of(await client.post("/v1/jobs", json=wrong), 422, "url_refused").pointer == "/params/regions/1/mask"


async def test_addresses_in_targets_pass_the_same_guard(client: httpx.AsyncClient, server: TlsServer, segmenter: FakeWorker) -> None:
    server.answers |= {"/gone": b"HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n", "/inside": redirect("https://10.0.0.1/x.png")}
    asked: list[tuple[str, int, str]] = [
        ("https://10.0.0.1/x.png", 422, "url_refused"),
        ("http://photos.example/x.png", 422, "url_refused"),
        (server.url("/inside"), 422, "url_refused"),
        (server.url("/gone"), 502, "url_unavailable"),
    ]
    for url, status, code in asked:
        problem = problem_of(await client.post("/v1/jobs", files=body(masked({"url": url}))), status, code)
        assert problem.pointer == "/params/target/region/where/mask"
    for wrong in ({"url": "ftp://photos.example/x.png"}, {"url": 3}, {"address": "https://photos.example"}, {"url": ""}, "img_1"):
        problem = problem_of(await client.post("/v1/jobs", files=body(similar(wrong))), 422, "invalid_parameters")
        assert (problem.pointer or "").startswith("/params/target/similarity/image")
    assert await segmenter.nothing_queued()
    assert (await client.get("/v1/images")).json()["items"] == []


async def test_targets_take_no_address_unless_the_operator_allows_it(
    settings: ServiceSettings, store: JobStore, server: TlsServer, segmenter: FakeWorker
) -> None:
    off = settings.model_copy(update={"url_inputs": False})
    async with client_of(create_app(off, store, server.client())) as client:
        problem = problem_of(await client.post("/v1/jobs", files=body(similar({"url": server.url("/1.png")}))), 422, "invalid_parameters")
        assert (problem.pointer, "does not fetch images by URL" in problem.detail) == ("/params/target/similarity/image", True)
    assert server.requests == []


async def test_the_addresses_of_a_batchs_defaults_are_fetched_once(
    settings: ServiceSettings, store: JobStore, server: TlsServer, segmenter: FakeWorker
) -> None:
    app = create_app(settings, store, server.client())
    async with client_of(app) as client:
        photo = (await client.post("/v1/images", files={"image": png(9, 5, 0)})).json()["id"]
        defaults = {"method": "grad_cam", "model": "vgg16", "image": {"id": photo}, "params": masked({"url": server.url("/1.png")})}
        items = [{}, {"params": {"alpha": 0.4}}, {"params": masked({"url": server.url("/2.png")})}]
        wrong = defaults | {"params": masked({"url": "https://10.0.0.1/x"})}
        problem = problem_of(await client.post("/v1/batches", json={"defaults": wrong, "items": items}), 422, "url_refused")
        assert problem.pointer == "/defaults/params/target/region/where/mask/url"
        made = await client.post("/v1/batches", json={"defaults": defaults, "items": items})
        assert made.status_code == 202, made.text
        feeder = BatchFeeder(services_of(app))
        feeder.start()
        executions = [await segmenter.claim() for _ in items]
        masks = [json.loads(each.params)["target"]["region"]["where"]["mask"] for each in executions]
        assert sorted(await asyncio.gather(*map(store.images.file, masks))) == sorted([png(9, 5, 1), png(9, 5, 1), png(9, 5, 2)])
        await feeder.close()
    assert len(server.requests) == 2


async def test_the_addresses_in_the_sets_of_a_batchs_defaults_are_fetched_once(
    settings: ServiceSettings, store: JobStore, server: TlsServer, worker: FakeWorker
) -> None:
    app = create_app(settings, store, server.client())
    async with client_of(app) as client:
        photos = [(await client.post("/v1/images", files={"image": png(9, 5, seed)})).json()["id"] for seed in (4, 5)]
        members = [server.url("/1.png"), photos[0]]
        sets = {"concepts": [{"name": "a concept", "images": members}], "random_sets": [{"name": "others", "images": photos}]}
        defaults = {"method": "tcav", "model": "vgg16", "params": {"images": photos, "class_index": 1, **sets}}
        items = [{"params": {"penalty": penalty}} for penalty in (0.1, 0.2)]
        made = await client.post("/v1/batches", json={"defaults": defaults, "items": items})
        assert made.status_code == 202, made.text
        assert len(server.requests) == 1
        feeder = BatchFeeder(services_of(app))
        feeder.start()
        for _ in items:
            first, second = json.loads((await worker.claim("slow")).params)["concepts"][0]["images"]
            assert (await store.images.file(first), second) == (png(9, 5, 1), photos[0])
        await feeder.close()
    assert len(server.requests) == 1


def test_every_parameter_that_names_an_image_takes_an_address() -> None:
    """A new one must be added to `schemas.methods.named_images`, and then here."""
    adapter = TypeAdapter(Union[tuple(METHODS.values())])  # noqa: UP007 - the classes are not known here
    found = set(_patterns(adapter.json_schema(mode="serialization"), ""))
    of_images = {(name, pattern) for name, pattern in found if "img_" in pattern}
    named = {(name, NAMED_IMAGE_PATTERN) for name in ("image", "mask", "other_image")}
    assert of_images == {*named, ("images", IMAGES_ITEM_PATTERN), ("names", IMAGE_ID_PATTERN)}


def _patterns(schema: JsonValue, name: str) -> Generator[tuple[str, str]]:
    """Yield the names of properties, with the pattern that their values or keys must have."""
    if isinstance(schema, list):
        for each in schema:
            yield from _patterns(each, name)
    elif isinstance(schema, dict):
        patterns = [schema.get("pattern"), *(schema.get("patternProperties") or {})]
        yield from ((name, pattern) for pattern in patterns if isinstance(pattern, str))
        for key, each in schema.items():
            if key in ("properties", "$defs") and isinstance(each, dict):
                for inner, value in each.items():
                    yield from _patterns(value, inner)
            else:
                yield from _patterns(each, name)
