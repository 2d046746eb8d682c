"""Targets of jobs over HTTP: as JSON and as a form field, and the images that they name."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image

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


async def uploaded(client: httpx.AsyncClient, content: bytes) -> str:
    return (await client.post("/v1/images", files={"image": content})).json()["id"]


def turned(content: bytes, orientation: int) -> bytes:
    """Return the image as a JPEG file with an EXIF orientation."""
    image, file, exif = Image.open(io.BytesIO(content)), io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    image.save(file, "JPEG", exif=exif)
    return file.getvalue()


def submission(target: Any) -> dict[str, Any]:
    return {"method": "grad_cam", "model": "vgg16", "params": {"target": target}}


async def submitted(client: httpx.AsyncClient, target: Any) -> httpx.Response:
    parts = {"request": (None, json.dumps(submission(target)), "application/json"), "image": ("cat.jpg", PHOTO, "image/jpeg")}
    return await client.post("/v1/jobs", files=parts)


async def test_the_mask_of_a_region_is_kept_for_the_worker(client: httpx.AsyncClient, segmenter: FakeWorker, store: JobStore) -> None:
    mask = await uploaded(client, png(9, 5, 1))
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


async def test_a_mask_of_another_size_is_refused_at_once(client: httpx.AsyncClient, segmenter: FakeWorker) -> None:
    for content, got in ((png(8, 5), "8×5"), (png(5, 9), "5×9"), (png(18, 10), "18×10"), (turned(png(9, 5), 6), "5×9")):
        target = {"region": {"class": 2, "where": {"mask": await uploaded(client, content)}}}
        problem = problem_of(await submitted(client, target), 422, "invalid_parameters")
        assert (problem.pointer, problem.allowed, problem.got) == ("/params/target/region/where/mask", "9×5", got)
        assert problem.detail == f"The mask has {got} pixels (width × height), and the photo 9×5."
    assert await segmenter.nothing_queued()


async def test_sizes_are_those_of_upright_images(client: httpx.AsyncClient, segmenter: FakeWorker) -> None:
    """The photo is stored 9 × 5 and turned by a quarter, so its mask is 5 × 9."""
    photo = await uploaded(client, turned(PHOTO, 8))
    for mask, status in ((png(5, 9), 202), (turned(png(9, 5, 3), 5), 202), (png(9, 5), 422)):
        body = submission({"region": {"class": 2, "where": {"mask": await uploaded(client, mask)}}}) | {"image": {"id": photo}}
        answer = await client.post("/v1/jobs", json=body)
        assert answer.status_code == status, answer.text
    fields = {"model": "vgg16", "target": json.dumps({"region": {"class": 2, "where": {"mask": await uploaded(client, png(9, 5))}}})}
    files = {"image": turned(PHOTO, 8)}
    problem = problem_of(await client.post("/v1/grad_cam", data=fields, files=files), 422, "invalid_parameters")
    assert (problem.pointer, problem.got) == ("/target/region/where/mask", "9×5")


async def test_the_mask_of_map_measures_is_kept_and_has_the_photos_size(
    client: httpx.AsyncClient, worker: FakeWorker, store: JobStore
) -> None:
    await worker.publish(description())

    async def measured(mask: str) -> httpx.Response:
        fields = {"model": "vgg16", "measures": '["relevance_mass"]', "region": json.dumps({"mask": mask})}
        return await client.post("/v1/map_measures", data=fields, files={"image": PHOTO}, headers={"Prefer": "respond-async"})

    mask = await uploaded(client, png(9, 5, 1))
    assert (await measured(mask)).status_code == 202
    assert json.loads((await worker.claim("slow")).params)["region"] == {"mask": mask}
    assert await store.images.file(mask) == png(9, 5, 1)
    problem = problem_of(await measured(await uploaded(client, png(8, 5))), 422, "invalid_parameters")
    assert (problem.pointer, problem.allowed, problem.got) == ("/region/mask", "9×5", "8×5")
    assert problem_of(await measured(ABSENT), 404, "not_found").pointer == "/region"


@pytest.mark.parametrize(
    ("text", "index"), [("285", 285), ("Egyptian cat", 2), ("tabby, tabby cat", 1), ("3,1", (3, 1)), ('["espresso", 0]', (4, 0))]
)
async def test_a_form_takes_a_bare_class(client: httpx.AsyncClient, worker: FakeWorker, text: str, index: Any) -> None:
    await worker.publish(description(classes=300 if index == 285 else 5))
    fields = {"model": "vgg16", "target": text}
    answer = await client.post("/v1/grad_cam", data=fields, files={"image": PHOTO}, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    found = answer.json()["params"]
    assert (found["class_index"], found["target"]) == (list(index) if isinstance(index, tuple) else index, None)


async def test_a_form_with_a_wrong_target_is_told_where(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.publish(description())
    for text, pointer in (('{"clas": 3}', "/target/clas"), ('{"class": 3', "/target"), ("no such label", "/target/class")):
        answer = await client.post("/v1/grad_cam", data={"model": "vgg16", "target": text}, files={"image": PHOTO})
        assert answer.status_code == 422, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer], answer.text


async def test_another_image_is_the_callers_own_and_is_kept_for_the_job(
    client: httpx.AsyncClient, worker: FakeWorker, store: JobStore
) -> None:
    photo, other = await uploaded(client, PHOTO), await uploaded(client, png(seed=5))

    def swap(image: str) -> dict[str, Any]:
        params = {"action": "swap", "other_image": image}
        return {"method": "intervene", "model": "vgg16", "image": {"id": photo}, "params": params}

    problem = problem_of(await client.post("/v1/jobs", json=swap(ABSENT)), 404, "not_found")
    assert (problem.pointer, problem.got) == ("/params/other_image", ABSENT)
    answer = await client.post("/v1/jobs", json=swap(other))
    assert answer.status_code == 202, answer.text
    assert (await client.delete(f"/v1/images/{other}")).status_code == 204
    await store.sweep()
    execution = await worker.claim("slow")
    assert await store.images.file_of(execution, other) == png(seed=5)
