"""`POST /v1/{method}`: the answer has the format that `Accept` asks for."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from schemas.artifacts import EncodedArtifact
from schemas.jobs import job_adapter
from tests.service.fake_worker import (
    CAM_ARTIFACTS,
    HEATMAP,
    MAP,
    OVERLAY,
    FakeWorker,
    animation,
    array,
    document,
    encoded,
    npy,
    picture,
    pixels,
)
from tests.service.test_errors import problem_of
from tests.service.test_submit import PHOTO


async def asked(
    client: httpx.AsyncClient,
    worker: FakeWorker,
    accept: str | None = None,
    fields: dict[str, Any] | None = None,
    method: str = "grad_cam",
) -> httpx.Response:
    """Return the answer after a worker has done the job."""
    headers = {"Accept": accept} if accept else {}
    form = {"model": "vgg16"} | (fields or {})
    asking = asyncio.create_task(client.post(f"/v1/{method}", data=form, files={"image": ("cat.png", PHOTO)}, headers=headers))
    await worker.work()
    return await asking


@pytest.mark.parametrize("accept", [None, "*/*", "image/png", "image/*", "text/html, image/png;q=0.1"])
async def test_the_primary_image(client: httpx.AsyncClient, worker: FakeWorker, accept: str | None) -> None:
    answer = await asked(client, worker, accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png"), answer.text
    assert np.array_equal(pixels(answer.content), OVERLAY)
    assert answer.headers["content-disposition"] == 'inline; filename="grad_cam_overlay.png"'
    job_id = answer.headers["location"].rsplit("/", 1)[1]
    assert (await client.get(answer.headers["location"])).json()["id"] == job_id


@pytest.mark.parametrize("accept", ["image/webp", "image/jpeg"])
async def test_other_image_formats(client: httpx.AsyncClient, worker: FakeWorker, accept: str) -> None:
    answer = await asked(client, worker, accept)
    assert answer.headers["content-type"] == accept
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == (accept.removeprefix("image/").upper(), (11, 7))
        if accept == "image/webp":
            np.testing.assert_array_equal(np.asarray(image), OVERLAY)


async def test_json_has_the_arrays_inline(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await asked(client, worker, "application/json")
    job = job_adapter.validate_json(answer.content)
    assert job.state == "succeeded"
    by_name = {artifact.name: artifact for artifact in job.artifacts}
    assert by_name["overlay"].data is None
    data = by_name["map"].data
    assert data is not None
    assert (data.dtype, data.shape) == ("float32", (5, 7))
    direct = (await client.get(by_name["map"].url, headers={"Accept": "application/json"})).json()
    assert data.base64 == direct["base64"]


async def test_npz_has_each_array_under_its_name(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await asked(client, worker, "application/x-npz")
    archive = np.load(io.BytesIO(answer.content), allow_pickle=False)
    assert archive.files == ["map"]
    np.testing.assert_array_equal(archive["map"], MAP)


async def test_zip_has_everything(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await asked(client, worker, "application/zip")
    job_id = answer.headers["location"].rsplit("/", 1)[1]
    assert answer.headers["content-disposition"] == f'attachment; filename="grad_cam_{job_id}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["overlay.png", "heatmap.png", "map.npy", "job.json"]
        assert archive.read("heatmap.png") == encoded(HEATMAP)
        assert archive.read("map.npy") == npy(MAP)
        assert job_adapter.validate_json(archive.read("job.json")).id == job_id


async def test_several_layers_in_one_npz(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    arrays = {"activations.block5_conv1": np.arange(6.0).reshape(1, 2, 3), "activations.base.conv": np.ones((2, 2), np.float32)}
    form = {"model": "vgg16", "layer": "block5_conv1,base/conv"}
    asking = asyncio.create_task(client.post("/v1/activations", data=form, files={"image": PHOTO}, headers={"Accept": "application/x-npz"}))
    execution = await worker.claim()
    assert json.loads(execution.params)["layer"] == ["block5_conv1", "base/conv"]
    artifacts = [CAM_ARTIFACTS[0], *(array(name, values) for name, values in arrays.items())]
    await worker.complete(execution, artifacts, {"layers": []})
    archive = np.load(io.BytesIO((await asking).content), allow_pickle=False)
    assert sorted(archive.files) == sorted(arrays)
    for name, values in arrays.items():
        np.testing.assert_array_equal(archive[name], values)


DRAWING = picture("drawing", OVERLAY, primary=True)
DOCUMENTS = (
    document("svg", "image/svg+xml", "<svg/>"),
    document("dot", "text/vnd.graphviz", "digraph {}"),
    document("json", "application/json", '{"nodes": []}'),
)


async def architecture(
    client: httpx.AsyncClient,
    worker: FakeWorker,
    accept: str | None,
    artifacts: Sequence[EncodedArtifact],
) -> httpx.Response:
    headers = {"Accept": accept} if accept else {}
    asking = asyncio.create_task(client.post("/v1/architecture", data={"model": "vgg16"}, headers=headers))
    facts = {"nodes": 1, "edges": 0, "clusters": 0, "parameters": 7}
    await worker.complete(await worker.claim(), artifacts, facts)
    return await asking


@pytest.mark.parametrize(
    ("accept", "media_type", "content"),
    [
        (None, "image/png", encoded(OVERLAY)),
        ("image/svg+xml", "image/svg+xml", b"<svg/>"),
        ("text/vnd.graphviz", "text/vnd.graphviz; charset=utf-8", b"digraph {}"),
    ],
)
async def test_documents_by_accept(
    client: httpx.AsyncClient, worker: FakeWorker, accept: str | None, media_type: str, content: bytes
) -> None:
    answer = await architecture(client, worker, accept, (DRAWING, *DOCUMENTS))
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert np.array_equal(pixels(answer.content), pixels(content)) if media_type == "image/png" else answer.content == content
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ("sandbox" in answer.headers.get("content-security-policy", "")) == (accept is not None)


async def test_a_zip_file_has_the_documents(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await architecture(client, worker, "application/zip", (DRAWING, *DOCUMENTS))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["drawing.png", "svg.svg", "dot.dot", "json.json", "job.json"]
        assert archive.read("json.json") == b'{"nodes": []}'


FILTERS_FACTS = {"layer": "block5_conv3", "images": [], "dead_channels": []}


async def filters(client: httpx.AsyncClient, worker: FakeWorker, frames: int, artifacts: Sequence[EncodedArtifact]) -> httpx.Response:
    form = {"model": "vgg16", "channels": "2", "frames": str(frames)}
    asking = asyncio.create_task(client.post("/v1/filters", data=form, headers={"Accept": "image/gif"}))
    await worker.complete(await worker.claim("slow"), artifacts, FILTERS_FACTS)
    return await asking


async def test_an_animation_by_accept(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    forming = animation("animation", np.stack([OVERLAY, OVERLAY[::-1]]), (50, 700))
    answer = await filters(client, worker, 2, (picture("grid", OVERLAY, primary=True), forming))
    with Image.open(io.BytesIO(answer.content)) as read:
        assert (answer.headers["content-type"], read.format, read.n_frames) == ("image/gif", "GIF", 2)  # pyright: ignore[reportAttributeAccessIssue] - Pillow's animations have it
    assert answer.headers["content-disposition"] == 'inline; filename="filters_animation.gif"'


async def test_an_animation_that_was_not_asked_for(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await filters(client, worker, 0, (picture("grid", OVERLAY, primary=True),))
    problem = problem_of(answer, 406, "not_acceptable")
    assert "only if `frames` is above 0" in problem.detail
    assert (problem.got, "image/png" in (problem.allowed or "")) == ("image/gif", True)
