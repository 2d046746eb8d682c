"""Sets of uploads: they hold their images as long as they live, and stand wherever a method takes several images."""

from __future__ import annotations

import json

import httpx
import pytest
from fastapi import FastAPI

from jobstore.store import JobStore
from service.app import create_app
from service.batches.feeder import BatchFeeder
from service.dependencies import services_of
from service.settings import ServiceSettings
from tests.redis_servers import open_redis
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, png
from tests.service.test_errors import problem_of
from tests.service.test_images_by_id import ABSENT, patches, uploaded


async def made(client: httpx.AsyncClient, images: list[str], name: str = "signs") -> str:
    answer = await client.post("/v1/sets", json={"name": name, "images": images})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/sets/{answer.json()['id']}"
    return answer.json()["id"]


async def test_a_set_is_made_shown_listed_and_deleted(client: httpx.AsyncClient) -> None:
    images = await uploaded(client, 3)
    first, second = await made(client, images), await made(client, images[:1], "one")
    shown = (await client.get(f"/v1/sets/{first}")).json()
    assert (shown["id"], shown["name"], shown["images"]) == (first, "signs", images)
    page = (await client.get("/v1/sets", params={"limit": 1})).json()
    rest = (await client.get("/v1/sets", params={"cursor": page["next_cursor"]})).json()
    assert {each["id"] for each in (*page["items"], *rest["items"])} == {first, second}
    assert rest["next_cursor"] is None
    assert (await client.delete(f"/v1/sets/{first}")).status_code == 204
    problem_of(await client.get(f"/v1/sets/{first}"), 404, "not_found")
    problem_of(await client.delete(f"/v1/sets/{first}"), 404, "not_found")
    assert [each["id"] for each in (await client.get("/v1/sets")).json()["items"]] == [second]


async def test_a_method_reads_the_images_of_sets_and_others_in_order(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    images = await uploaded(client, 4)
    pair = await made(client, [images[2], images[1]])
    assert (await client.post("/v1/jobs", json=patches([images[0], pair, images[1]]))).status_code == 202
    assert json.loads((await worker.claim("slow")).params)["images"] == [images[0], images[2], images[1]]
    form = {"model": "vgg16", "images": pair, "channels": "1"}
    answer = await client.post("/v1/top_patches", data=form, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    assert json.loads((await worker.claim("slow")).params)["images"] == [images[2], images[1]]


async def test_a_set_holds_images_whose_uploads_are_gone(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    images = await uploaded(client, 2)
    pair = await made(client, images)
    for image in images:
        assert (await client.delete(f"/v1/images/{image}")).status_code == 204
    await store.sweep()
    problem_of(await client.post("/v1/jobs", json=patches(images)), 404, "not_found")
    answer = await client.post("/v1/jobs", json=patches([pair]))
    assert answer.status_code == 202, answer.text
    assert (await client.delete(f"/v1/sets/{pair}")).status_code == 204
    await store.sweep()
    execution = await worker.claim("slow")
    assert [await store.images.file_of(execution, image) for image in images] == [png(9, 5, 0), png(9, 5, 1)]


async def test_the_files_go_with_the_set(client: httpx.AsyncClient, store: JobStore, settings: ServiceSettings) -> None:
    images = await uploaded(client, 2)
    pair = await made(client, images)
    for image in images:
        await client.delete(f"/v1/images/{image}")
    with open_redis(settings.redis_url or "") as redis:
        assert redis.hget("convscope:{0}:files:all", "bytes") != b"0"
        assert 0 < redis.ttl(f"convscope:{{0}}:set:anonymous:{pair.removeprefix('set_')}") <= settings.set_ttl
        await client.delete(f"/v1/sets/{pair}")
        await store.sweep()
        assert redis.hget("convscope:{0}:files:all", "bytes") == b"0"


WRONG_ORDERS: list[tuple[dict[str, object], int, str, str]] = [
    ({"name": "x", "images": [ABSENT]}, 404, "not_found", "/images/0"),
    ({"name": "x", "images": []}, 422, "invalid_parameters", "/images"),
    ({"name": "x", "images": [ABSENT, ABSENT]}, 422, "invalid_parameters", "/images"),
    ({"name": "x", "images": ["cat.jpg"]}, 422, "invalid_parameters", "/images/0"),
    ({"name": "", "images": [ABSENT]}, 422, "invalid_parameters", "/name"),
    ({"name": "x", "images": [ABSENT], "tags": []}, 422, "invalid_parameters", "/tags"),
]


async def test_wrong_orders_are_refused(client: httpx.AsyncClient) -> None:
    for order, status, code, pointer in WRONG_ORDERS:
        assert problem_of(await client.post("/v1/sets", json=order), status, code).pointer == pointer
    assert (await client.get("/v1/sets")).json()["items"] == []


@pytest.mark.slow
async def test_sets_are_bounded_in_number_and_in_images(settings: ServiceSettings, store: JobStore, worker: FakeWorker) -> None:
    bounded = settings.model_copy(update={"max_images": 2})
    store_of_one = JobStore.connect(settings.redis_url or "", settings.model_copy(update={"max_sets_per_caller": 1}))
    async with client_of(create_app(bounded, store_of_one)) as client:
        images = await uploaded(client, 3)
        problem = problem_of(await client.post("/v1/sets", json={"name": "x", "images": images}), 422, "limit_exceeded")
        assert (problem.pointer, problem.allowed, problem.got) == ("/images", "at most 2", "3")
        pair = await made(client, images[:2])
        problem_of(await client.post("/v1/sets", json={"name": "x", "images": images[:2]}), 422, "limit_exceeded")
        problem = problem_of(await client.post("/v1/jobs", json=patches([pair, images[2]])), 422, "limit_exceeded")
        assert (problem.pointer, problem.got) == ("/params/images", "3")
    await store_of_one.close()


@pytest.mark.slow
async def test_an_item_of_a_batch_keeps_what_its_parameters_name(
    app: FastAPI, client: httpx.AsyncClient, worker: FakeWorker, store: JobStore
) -> None:
    images = await uploaded(client, 3)
    pair = await made(client, images[:2])
    items = [patches([images[2]]), patches([pair]), patches([images[0], ABSENT])]
    batch = (await client.post("/v1/batches", json={"items": items})).json()["id"]
    for image in images:
        assert (await client.delete(f"/v1/images/{image}")).status_code == 204
    assert (await client.delete(f"/v1/sets/{pair}")).status_code == 204
    await store.sweep()
    feeder = BatchFeeder(services_of(app))
    feeder.start()
    executions = [await worker.work("slow"), await worker.work("slow")]
    state = (await client.get(f"/v1/batches/{batch}", params={"wait": 20})).json()
    await feeder.close()
    assert (state["state"], state["counts"]["succeeded"], state["counts"]["failed"]) == ("partial", 2, 1)
    read = sorted(len(json.loads(each.params)["images"]) for each in executions)
    assert read == [1, 2]
    rows = [json.loads(row) for row in (await client.get(f"/v1/batches/{batch}/results")).text.splitlines()]
    assert [row["error"]["pointer"] for row in rows if row["error"]] == ["/params/images/1"]
