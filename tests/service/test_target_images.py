"""Targets of jobs over HTTP: as JSON and as a form field, and the images that they name."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from jobstore.store import JobStore
from schemas.models import OutputHead
from tests.schemas.tiny import description
from tests.service.fake_worker import FakeWorker, png
from tests.service.test_errors import problem_of

PHOTO = png()
ABSENT = "img_" + "0" * 64
SEGMENTATION = OutputHead(
    name="predictions",
    classes=None,
    head="softmax",
    default_layer="block5_conv1",
    dense_classes=3,
    kind="dense_classes",
    shape=(20, 30, 3),
    layer="predictions",
)


@pytest.fixture
async def segmenter(worker: FakeWorker) -> FakeWorker:
    await worker.publish(description(classes=None, heads=(SEGMENTATION,)))
    return worker


def submission(target: Any) -> dict[str, Any]:
    return {"method": "grad_cam", "model": "vgg16", "params": {"target": target}}


async def submitted(client: httpx.AsyncClient, target: Any) -> httpx.Response:
    parts = {"request": (None, json.dumps(submission(target)), "application/json"), "image": ("cat.jpg", PHOTO, "image/jpeg")}
    return await client.post("/v1/jobs", files=parts)


async def test_the_mask_of_a_region_is_kept_for_the_worker(client: httpx.AsyncClient, segmenter: FakeWorker, store: JobStore) -> None:
    mask = (await client.post("/v1/images", files={"image": png(9, 5, 1)})).json()["id"]
    target = {"region": {"class": 2, "where": {"mask": mask}}}
    answer = await submitted(client, target)
    assert answer.status_code == 202, answer.text
    assert answer.json()["params"]["target"] == target
    assert answer.json()["params"]["layer"] == "block5_conv1"
    execution = await segmenter.claim()
    assert json.loads(execution.params)["target"] == target
    assert await store.images.file(mask) == png(9, 5, 1)


async def test_an_image_that_is_missing_or_another_owners(client: httpx.AsyncClient, segmenter: FakeWorker, store: JobStore) -> None:
    theirs = (await store.images.put("somebody-else", png(9, 5, 7), "PNG", 9, 5)).id
    for image in (ABSENT, theirs):
        for target in ({"similarity": {"image": image}}, {"region": {"class": 1, "where": {"mask": image}}}):
            problem = problem_of(await submitted(client, target), 404, "not_found")
            assert (problem.pointer, problem.got) == ("/params/target", image)
    assert await segmenter.nothing_queued()


async def test_a_target_that_the_model_cannot_have_names_those_that_it_can(client: httpx.AsyncClient, segmenter: FakeWorker) -> None:
    problem = problem_of(await submitted(client, {"difference": {"of": 1, "from": [2]}}), 422, "invalid_parameters")
    assert (problem.pointer, problem.allowed) == ("/params/target", "region, element, similarity, activation")
    problem = problem_of(await submitted(client, {"region": {"class": 1, "were": "predicted"}}), 422, "invalid_parameters")
    assert problem.pointer == "/params/target/region/were"


async def test_a_form_takes_the_target_as_json(client: httpx.AsyncClient, segmenter: FakeWorker) -> None:
    target = {"region": {"class": 1, "where": {"box": [0, 0, 10, 12.5]}}}
    fields = {"model": "vgg16", "target": json.dumps(target)}
    answer = await client.post("/v1/grad_cam", data=fields, files={"image": PHOTO}, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    assert answer.json()["params"]["target"] == target
    fields |= {"class_index": "1"}
    problem = problem_of(await client.post("/v1/grad_cam", data=fields, files={"image": PHOTO}), 422, "invalid_parameters")
    assert "give either class_index (or sign) or target, not both" in problem.detail
