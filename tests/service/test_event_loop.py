"""Heavy requests at a real HTTP server. The fixture of this folder fails a test if one of them keeps the event loop from its other work."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import zipfile
from collections.abc import AsyncIterator

import httpx
import numpy as np
import pytest

from jobstore.store import JobStore
from schemas.artifacts import EncodedArtifact
from service.settings import ServiceSettings
from tests.schemas.tiny import description
from tests.service.fake_worker import CAM_ARTIFACTS, FakeWorker, array, png
from tests.service.test_errors import problem_of
from tests.service.test_submit import PHOTO, cam

MIB = 1024 * 1024
MAPS = [np.random.default_rng(number).normal(size=(1040, 1000)).astype(np.float32) for number in range(13)]  # 54 MB


@pytest.fixture
async def http(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        yield client


def photo_file(size: int) -> bytes:
    """Return a file that begins as a small PNG and has `size` bytes. Only its header is read before a job decodes it."""
    return png().ljust(size, b"\x07")


async def test_files_of_twenty_megabytes(http: httpx.AsyncClient, worker: FakeWorker) -> None:
    photo = photo_file(20 * MIB)
    upload = await http.post("/v1/images", files={"image": photo})
    raw = await http.post("/v1/images", content=photo, headers={"Content-Type": "image/png"})
    assert (upload.status_code, upload.json()["size"]) == (raw.status_code, raw.json()["size"]) == (201, 20 * MIB)
    request = json.dumps({"method": "grad_cam", "model": "vgg16"})
    key = {"Idempotency-Key": "heavy"}
    jobs = [await http.post("/v1/jobs", files={"image": photo, "request": (None, request)}, headers=key) for _ in range(2)]
    assert [job.status_code for job in jobs] == [202, 202]
    assert jobs[0].json()["id"] == jobs[1].json()["id"]


async def test_ten_megabytes_of_base64(http: httpx.AsyncClient, worker: FakeWorker) -> None:
    text = base64.b64encode(photo_file(10 * MIB - 1)).decode()
    assert (await http.post("/v1/jobs", json=cam(image={"base64": text}))).status_code == 202
    problem_of(await http.post("/v1/jobs", json=cam(image={"base64": text[:-4] + "****"})), 422, "invalid_image")


@pytest.mark.parametrize("value", ["{}", "0", '[[],{"a":1}]'])
async def test_thirty_megabytes_of_values(http: httpx.AsyncClient, worker: FakeWorker, value: str) -> None:
    values = ",".join([value] * (30 * MIB // (len(value) + 1)))
    body = f'{{"method": "grad_cam", "model": "vgg16", "params": {{"class_index": [{values}]}}}}'
    answer = await http.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
    problem_of(answer, 422, "limit_exceeded")


async def test_as_many_values_as_are_allowed(http: httpx.AsyncClient, worker: FakeWorker) -> None:
    problem_of(await http.post("/v1/jobs", json=cam(params={"class_index": [0] * 19_000})), 422, "limit_exceeded")
    form = {"model": "vgg16", "class_index": "1," * 19_000}
    problem_of(await http.post("/v1/grad_cam", data=form, files={"image": PHOTO}), 422, "invalid_parameters")


async def test_as_many_images_as_are_allowed(http: httpx.AsyncClient, worker: FakeWorker) -> None:
    images = [("images", png(200, 180, number)) for number in range(256)]
    request = ("request", (None, json.dumps({"method": "predict_batch", "model": "vgg16"}).encode()))
    answer = await http.post("/v1/jobs", files=[*images, request])
    assert (answer.status_code, len(answer.json()["params"]["images"])) == (202, 256)


@pytest.fixture
def many_models(settings: ServiceSettings) -> None:
    settings.models_dir.mkdir()
    for number in range(200):
        (settings.models_dir / f"model-{number}.keras").write_bytes(b"no model")


@pytest.fixture(scope="module")
def artifacts() -> tuple[EncodedArtifact, ...]:
    return (*CAM_ARTIFACTS, *(array(f"map_{number}", values) for number, values in enumerate(MAPS)))


@pytest.mark.parametrize("accept", ["application/x-npz", "application/zip", "application/json"])
async def test_all_arrays_in_one_answer(
    http: httpx.AsyncClient, worker: FakeWorker, artifacts: tuple[EncodedArtifact, ...], accept: str
) -> None:
    form = {"model": "vgg16"}
    asking = asyncio.create_task(http.post("/v1/grad_cam", data=form, files={"image": PHOTO}, headers={"Accept": accept}))
    await worker.complete(await worker.claim(), artifacts)
    answer = await asking
    assert (answer.status_code, answer.headers["content-type"]) == (200, accept)
    for number, values in enumerate(MAPS):
        name = f"map_{number}"
        if accept == "application/json":
            (data,) = (each["data"] for each in answer.json()["artifacts"] if each["name"] == name)
            found = np.frombuffer(base64.b64decode(data["base64"]), data["dtype"]).reshape(data["shape"])
        else:
            with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
                found = np.load(io.BytesIO(archive.read(f"{name}.npy")))
        assert np.array_equal(found, values)


@pytest.mark.usefixtures("many_models")
async def test_two_hundred_models(http: httpx.AsyncClient) -> None:
    names = {each["name"] for each in (await http.get("/v1/models")).json()}
    assert {f"model-{number}" for number in range(200)} <= names


async def test_twenty_thousand_classes(http: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    labels = tuple(f"label number {index}" for index in range(21_843))
    await worker.publish(description().model_copy(update={"classes": len(labels)}), labels)
    assert len((await http.get("/v1/models/vgg16/labels")).json()) == 21_843
    assert [each["class_index"] for each in (await http.get("/v1/models/vgg16/labels?q=number 2184")).json()] == [2184, 21840, 21841, 21842]


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/v1/methods", "/v1/methods/grad_cam"])
async def test_descriptions(http: httpx.AsyncClient, path: str) -> None:
    first, second = await http.get(path), await http.get(path)
    assert (first.status_code, first.content) == (200, second.content)
