"""Parameters that name whole sets of photos: by the id of a set, or with a name and images."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from jobstore.store import JobStore
from service.app import create_app
from service.batches.feeder import BatchFeeder
from service.dependencies import services_of
from service.settings import ServiceSettings
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, png
from tests.service.test_errors import problem_of
from tests.service.test_images_by_id import ABSENT, uploaded
from tests.service.test_sets import made

NO_SET = "set_" + "0" * 26


def tcav_job(images: list[str], concepts: list[Any], random_sets: list[Any], **more: object) -> dict[str, object]:
    params = {"images": images, "concepts": concepts, "random_sets": random_sets, "class_index": 1}
    return {"method": "tcav", "model": "vgg16", "params": params, **more}


def named(name: str, *images: str) -> dict[str, object]:
    return {"name": name, "images": [*images]}


async def test_images_take_the_place_of_sets(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    """A set by its id has the set's name, and a set among the images of another one gives its images. All of them outlive their uploads."""
    images = await uploaded(client, 7)
    stripes, dots = await made(client, images[:3], "stripes"), await made(client, images[2:4], "dots")
    asked = tcav_job(images[4:5], [stripes, named("both", dots, images[0], images[2])], [named("random", images[5], images[6])])
    assert (await client.post("/v1/jobs", json=asked)).status_code == 202
    for image in images:
        await client.delete(f"/v1/images/{image}")
    for each in (stripes, dots):
        await client.delete(f"/v1/sets/{each}")
    await store.sweep()
    execution = await worker.claim("slow")
    params = json.loads(execution.params)
    assert params["images"] == images[4:5]
    assert params["concepts"] == [named("stripes", *images[:3]), named("both", images[2], images[3], images[0])]
    assert params["random_sets"] == [named("random", *images[5:])]
    assert [await store.images.file_of(execution, image) for image in images] == [png(9, 5, seed) for seed in range(7)]


async def test_a_form_takes_ids_of_sets_and_json(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    images = await uploaded(client, 4)
    pair = await made(client, images[:2], "pair")
    random = [named("random", *images[2:])]
    form = {"model": "vgg16", "images": images[3], "concepts": pair, "random_sets": json.dumps(random)}
    answer = await client.post("/v1/tcav", data=form, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    params = json.loads((await worker.claim("slow")).params)
    assert (params["concepts"], params["random_sets"]) == ([named("pair", *images[:2])], random)


async def test_other_sets_are_another_execution(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    images = await uploaded(client, 5)
    for first in (0, 0, 1):
        asked = tcav_job(images[:1], [named("a", images[first], images[2])], [named("b", *images[3:])])
        assert (await client.post("/v1/jobs", json=asked)).status_code == 202
    for _ in range(2):
        await worker.claim("slow")
    assert await worker.nothing_queued("slow")


async def test_what_is_missing_or_too_much_is_named(settings: ServiceSettings, store: JobStore, worker: FakeWorker) -> None:
    async with client_of(create_app(settings.model_copy(update={"max_images": 5}), store)) as client:
        images = await uploaded(client, 6)
        theirs = (await store.images.put("somebody-else", png(9, 5, 77), "PNG", 9, 5)).id
        good = named("good", images[0], images[1])
        wrong: list[tuple[list[Any], list[Any], int, str, str]] = [
            ([good, NO_SET], [good], 404, "not_found", "/params/concepts/1"),
            ([named("x", images[2], NO_SET)], [good], 404, "not_found", "/params/concepts/0/images/1"),
            ([good], [named("x", images[2], ABSENT)], 404, "not_found", "/params/random_sets/0/images/1"),
            ([good], [named("x", theirs, images[2])], 404, "not_found", "/params/random_sets/0/images/0"),
            ([good], [named("x", images[2])], 422, "invalid_parameters", "/params/random_sets/0"),
            ([good], [named("x", *images[1:])], 422, "limit_exceeded", "/params/images"),
            ([good], [], 422, "invalid_parameters", "/params/random_sets"),
            ([{"images": images[:2]}], [good], 422, "invalid_parameters", "/params/concepts/0/name"),
        ]
        for concepts, random_sets, status, code, pointer in wrong:
            answer = await client.post("/v1/jobs", json=tcav_job(images[:1], concepts, random_sets))
            assert problem_of(answer, status, code).pointer == pointer
        assert await worker.nothing_queued("slow")


@pytest.mark.slow
async def test_an_item_of_a_batch_keeps_its_sets(app: FastAPI, client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    images = await uploaded(client, 5)
    pair = await made(client, images[:2], "pair")
    sound = tcav_job(images[4:], [pair, named("more", pair, images[2])], [named("random", images[2], images[3])])
    items = [sound, tcav_job(images[4:], [NO_SET], [pair])]
    batch = (await client.post("/v1/batches", json={"items": items})).json()["id"]
    for image in images:
        await client.delete(f"/v1/images/{image}")
    await client.delete(f"/v1/sets/{pair}")
    await store.sweep()
    feeder = BatchFeeder(services_of(app))
    feeder.start()
    execution = await worker.work("slow")
    state = (await client.get(f"/v1/batches/{batch}", params={"wait": 20})).json()
    await feeder.close()
    assert (state["counts"]["succeeded"], state["counts"]["failed"]) == (1, 1)
    params = json.loads(execution.params)
    assert params["concepts"] == [named("pair", *images[:2]), named("more", *images[:3])]
    rows = [json.loads(row) for row in (await client.get(f"/v1/batches/{batch}/results")).text.splitlines()]
    assert [row["error"]["pointer"] for row in rows if row["error"]] == ["/params/concepts/0"]
