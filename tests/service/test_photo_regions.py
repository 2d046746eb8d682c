"""Masks that say where the object lies in each of several photos."""

from __future__ import annotations

import json
from typing import Any

import httpx

from jobstore.store import JobStore
from service.app import create_app
from service.settings import ServiceSettings
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, png
from tests.service.test_errors import problem_of
from tests.service.test_images_by_id import ABSENT, uploaded
from tests.service.test_target_images import uploaded as uploaded_file

MEASURES = ["relevance_mass"]


def ranking(images: list[str], regions: list[Any]) -> dict[str, object]:
    params = {"images": images, "methods": ["grad_cam", "saliency"], "measures": MEASURES, "regions": regions}
    return {"method": "rank_methods", "model": "vgg16", "params": params}


def mask(image: str) -> dict[str, str]:
    return {"mask": image}


async def test_masks_are_kept_for_the_worker(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    first, second, drawn = await uploaded(client, 3)
    regions = [mask(drawn), {"box": [0, 1, 2, 3]}]
    answer = await client.post("/v1/jobs", json=ranking([first, second], regions))
    assert answer.status_code == 202, answer.text
    await client.delete(f"/v1/images/{drawn}")
    await store.sweep()
    execution = await worker.claim("slow")
    assert json.loads(execution.params)["regions"] == regions
    assert await store.images.file_of(execution, drawn) == png(9, 5, 2)


async def test_a_form_sends_photos_as_files_and_masks_by_their_ids(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    """A mask of another size is refused before the photos of the form are kept."""
    right, wrong = await uploaded_file(client, png(9, 5, 7)), await uploaded_file(client, png(5, 9, 8))

    async def asked(*masks: str) -> httpx.Response:
        regions = json.dumps([mask(each) for each in masks])
        form = {"model": "vgg16", "methods": "grad_cam,saliency", "measures": json.dumps(MEASURES), "regions": regions}
        files = [("images", (f"{number}.png", png(9, 5, number))) for number in range(2)]
        return await client.post("/v1/rank_methods", data=form, files=files, headers={"Prefer": "respond-async"})

    problem = problem_of(await asked(right, wrong), 422, "invalid_parameters")
    assert (problem.pointer, problem.allowed, problem.got) == ("/regions/1/mask", "9×5", "5×9")
    assert len((await client.get("/v1/images")).json()["items"]) == 2
    assert (await asked(right, right)).status_code == 202
    assert json.loads((await worker.claim("slow")).params)["regions"] == [mask(right)] * 2


async def test_what_is_missing_or_too_much_is_named(settings: ServiceSettings, store: JobStore, worker: FakeWorker) -> None:
    async with client_of(create_app(settings.model_copy(update={"max_images": 3}), store)) as client:
        images = await uploaded(client, 4)
        theirs = (await store.images.put("somebody-else", png(5, 9, 77), "PNG", 5, 9)).id
        box = {"box": [0, 0, 5, 9]}
        wrong: list[tuple[list[Any], int, str, str]] = [
            ([box, mask(ABSENT)], 404, "not_found", "/params/regions/1/mask"),
            ([box, mask(theirs)], 404, "not_found", "/params/regions/1/mask"),
            ([mask(images[2])], 422, "invalid_parameters", "/params/regions"),
            ([mask(images[2]), mask(images[3])], 422, "limit_exceeded", "/params/images"),
        ]
        for regions, status, code, pointer in wrong:
            answer = await client.post("/v1/jobs", json=ranking(images[:2], regions))
            assert problem_of(answer, status, code).pointer == pointer
        assert await worker.nothing_queued("slow")
