"""A method that reads several images, which the request names by the ids of their uploads."""

from __future__ import annotations

import json

import httpx

from jobstore.store import JobStore
from service.app import create_app
from service.settings import ServiceSettings
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, png
from tests.service.test_errors import problem_of

ABSENT = "img_" + "0" * 64
REPEATED = "img_" + "f" * 64


async def uploaded(client: httpx.AsyncClient, count: int) -> list[str]:
    return [(await client.post("/v1/images", files={"image": png(9, 5, seed)})).json()["id"] for seed in range(count)]


def patches(images: list[str], **more: object) -> dict[str, object]:
    return {"method": "top_patches", "model": "vgg16", "params": {"images": images, "channels": [1]}, **more}


async def test_the_worker_gets_the_ids(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    images = await uploaded(client, 3)
    answer = await client.post("/v1/jobs", json=patches(images))
    assert answer.status_code == 202, answer.text
    execution = await worker.claim("slow")
    assert json.loads(execution.params)["images"] == images
    assert execution.image_id is None
    assert await store.images.file(images[2]) == png(9, 5, 2)


async def test_other_images_or_another_order_are_another_execution(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    images = await uploaded(client, 3)
    for asked in (images, images, images[::-1], images[:2]):
        assert (await client.post("/v1/jobs", json=patches(asked))).status_code == 202
    for _ in range(3):
        await worker.claim("slow")
    assert await worker.nothing_queued("slow")


async def test_a_missing_image_is_named(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    images = await uploaded(client, 3)
    problem = problem_of(await client.post("/v1/jobs", json=patches([*images, ABSENT])), 404, "not_found")
    assert (problem.pointer, problem.got) == ("/params/images/3", ABSENT)
    form = {"model": "vgg16", "images": f"{images[0]},{ABSENT}"}
    problem = problem_of(await client.post("/v1/top_patches", data=form), 404, "not_found")
    assert problem.pointer == "/images/1"
    assert await worker.nothing_queued("slow")


async def test_an_image_of_another_owner_is_missing(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    images = await uploaded(client, 1)
    theirs = await store.images.put("somebody-else", png(9, 5, 7), "PNG", 9, 5)
    problem = problem_of(await client.post("/v1/jobs", json=patches([images[0], theirs.id])), 404, "not_found")
    assert problem.pointer == "/params/images/1"


async def test_images_are_bounded_in_number_and_in_pixels(settings: ServiceSettings, store: JobStore, worker: FakeWorker) -> None:
    """Each image has 9 × 5 pixels."""
    bounded = settings.model_copy(update={"max_images": 3, "max_images_pixels": 90})
    async with client_of(create_app(bounded, store)) as client:
        images = await uploaded(client, 4)
        problem = problem_of(await client.post("/v1/jobs", json=patches(images)), 422, "limit_exceeded")
        assert (problem.pointer, problem.allowed, problem.got) == ("/params/images", "at most 3", "4")
        problem = problem_of(await client.post("/v1/jobs", json=patches(images[:3])), 422, "limit_exceeded")
        assert (problem.pointer, problem.allowed, problem.got) == ("/params/images", "at most 90 pixels", "135")
        assert (await client.post("/v1/jobs", json=patches(images[:2]))).status_code == 202


async def test_a_single_image_beside_them_is_refused(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    images = await uploaded(client, 2)
    problem = problem_of(await client.post("/v1/jobs", json=patches(images, image={"id": images[0]})), 422, "image_unexpected")
    assert "takes several images, in `images`" in problem.detail
    problem = problem_of(
        await client.post("/v1/top_patches", data={"model": "vgg16", "images": images}, files={"image": png()}), 422, "invalid_parameters"
    )
    assert (problem.pointer, problem.allowed, problem.nearest) == ("/image", "images", ("images",))


async def test_the_form_takes_ids_repeated_and_with_commas(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    images = await uploaded(client, 2)
    for given in (images, ",".join(images), json.dumps(images), images[0]):
        answer = await client.post("/v1/top_patches", data={"model": "vgg16", "images": given}, headers={"Prefer": "respond-async"})
        assert answer.status_code == 202, answer.text
        assert answer.json()["params"]["images"] == ([given] if given == images[0] else images)


async def test_a_repeated_id_is_found_quickly_among_thousands(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    images = [*(f"img_{number:064x}" for number in range(19_000)), REPEATED, REPEATED]
    problem = problem_of(await client.post("/v1/jobs", json=patches(images)), 422, "invalid_parameters")
    assert "number 19001 is the same image as number 19000" in problem.detail
