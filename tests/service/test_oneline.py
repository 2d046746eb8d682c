"""`POST /v1/{method}`: a photo in, the answer in the form that `Accept` names."""

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

from jobstore.store import JobStore
from schemas.artifacts import EncodedArtifact
from schemas.jobs import ErrorCode, job_adapter
from tests.service.fake_worker import CAM_ARTIFACTS, HEATMAP, MAP, OVERLAY, FakeWorker, animation, array, document, encoded, npy, picture
from tests.service.test_errors import problem_of
from tests.service.test_submit import PHOTO


async def asked(
    client: httpx.AsyncClient,
    worker: FakeWorker,
    accept: str | None = None,
    fields: dict[str, Any] | None = None,
    method: str = "grad_cam",
) -> httpx.Response:
    """The answer once a worker has done it."""
    headers = {"Accept": accept} if accept else {}
    form = {"model": "vgg16"} | (fields or {})
    asking = asyncio.create_task(client.post(f"/v1/{method}", data=form, files={"image": ("cat.png", PHOTO)}, headers=headers))
    await worker.work()
    return await asking


@pytest.mark.parametrize("accept", [None, "*/*", "image/png", "image/*", "text/html, image/png;q=0.1"])
async def test_the_primary_image(client: httpx.AsyncClient, worker: FakeWorker, accept: str | None) -> None:
    answer = await asked(client, worker, accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png"), answer.text
    assert answer.content == encoded(OVERLAY)
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


async def test_what_cannot_be_made_is_refused_before_it_is_run(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": PHOTO}, headers={"Accept": "text/csv"})
    assert "application/x-npz" in (problem_of(answer, 406, "not_acceptable").allowed or "")
    assert await worker.nothing_queued()


async def test_fields_become_params(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    form = {"model": "vgg16", "class_index": ["2", "espresso"], "layer": "base/conv", "alpha": "0.75", "sign": "", "priority": "low"}
    answer = await client.post("/v1/grad_cam", data=form, files={"image": PHOTO}, headers={"Prefer": "wait=0"})
    assert answer.status_code == 202, answer.text
    execution = await worker.claim()
    assert await store.images.file_of(execution) == PHOTO
    params = json.loads(execution.params)
    assert (params["class_index"], params["layer"], params["alpha"], params["sign"]) == ([2, 4], "base/conv", 0.75, 1)
    assert execution.priority == "low"


async def test_a_method_without_an_image(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    form = {"model": "vgg16", "channels": "1,5", "steps": "3", "transforms": '{"jitter": 2}'}
    asking = asyncio.create_task(client.post("/v1/filters", data=form, headers={"Accept": "image/png"}))
    execution = await worker.claim("slow")
    params = json.loads(execution.params)
    assert (params["channels"], params["steps"], params["transforms"]["jitter"]) == ([1, 5], 3, 2)
    await worker.complete(execution, [picture("grid", OVERLAY, primary=True)], {"layer": None, "images": [], "dead_channels": []})
    assert (await asking).content == encoded(OVERLAY)


@pytest.mark.parametrize(
    ("method", "form", "files", "code", "pointer"),
    [
        ("grad_cam", {"model": "vgg16"}, [], "image_required", "/image"),
        ("grad_cam", {"model": "vgg16"}, [("image", ("", b""))], "image_required", "/image"),
        ("grad_cam", {"model": "vgg16"}, [("image", ("a", PHOTO)), ("image", ("b", PHOTO))], "invalid_parameters", "/image"),
        ("grad_cam", {"model": "vgg16"}, [("photo", ("a", PHOTO))], "invalid_parameters", "/photo"),
        ("grad_cam", {"model": "vgg16", "image": "cat.png"}, [], "invalid_parameters", "/image"),
        ("grad_cam", {}, [("image", ("a", PHOTO))], "invalid_parameters", "/model"),
        ("grad_cam", {"model": "vgg61"}, [("image", ("a", PHOTO))], "unknown_model", "/model"),
        ("grad_cam", {"model": "vgg16", "class_index": "5"}, [("image", ("a", PHOTO))], "unknown_class", "/class_index"),
        ("grad_cam", {"model": "vgg16", "layer": "block5_conv9"}, [("image", ("a", PHOTO))], "unknown_layer", "/layer"),
        ("grad_cam", {"model": "vgg16", "alhpa": "0.5"}, [("image", ("a", PHOTO))], "invalid_parameters", "/alhpa"),
        ("grad_cam", {"model": "vgg16", "alpha": ["0.5", "0.6"]}, [("image", ("a", PHOTO))], "invalid_parameters", "/alpha"),
        ("filters", {"model": "vgg16"}, [("image", ("a", PHOTO))], "image_unexpected", "/image"),
        ("filters", {"model": "vgg16", "channels": "2", "size": "513"}, [], "limit_exceeded", "/size"),
    ],
)
async def test_a_wrong_field_is_named(
    client: httpx.AsyncClient, worker: FakeWorker, method: str, form: dict[str, Any], files: list[Any], code: str, pointer: str
) -> None:
    answer = await client.post(f"/v1/{method}", data=form, files=files)
    assert problem_of(answer, 422, code).pointer == pointer
    assert await worker.nothing_queued()


async def test_it_answers_with_the_job_when_it_is_not_done_in_time(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": PHOTO}, headers={"Prefer": "wait=0"})
    assert answer.status_code == 202
    assert (answer.headers["preference-applied"], answer.headers["retry-after"]) == ("wait=0", "1")
    await worker.work()
    assert (await client.get(answer.headers["location"])).json()["state"] == "succeeded"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("invalid_image", 422),
        ("model_load_failed", 503),
        ("unknown_layer", 422),
        ("no_gradient", 422),
        ("non_finite", 422),
        ("out_of_memory", 500),
        ("timeout", 504),
        ("worker_crashed", 500),
        ("internal", 500),
    ],
)
async def test_a_failed_job_is_a_problem(client: httpx.AsyncClient, worker: FakeWorker, code: ErrorCode, status: int) -> None:
    asking = asyncio.create_task(client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": PHOTO}))
    await worker.fail(await worker.claim(), code, "what happened")
    answer = await asking
    assert problem_of(answer, status, code).detail == "what happened"
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_a_canceled_job_is_a_conflict(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    asking = asyncio.create_task(client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": PHOTO}))
    await worker.claim()
    job_id = (await client.get("/v1/jobs")).json()["items"][0]["id"]
    await client.post(f"/v1/jobs/{job_id}/cancel")
    problem_of(await asking, 409, "state_conflict")


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


async def test_a_misspelt_method_is_not_there(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.post("/v1/gradcam", data={"model": "vgg16"}), 404, "unknown_method")
    assert (problem.nearest or ())[0] == "grad_cam"
    assert problem.pointer is None


DRAWING = picture("drawing", OVERLAY, primary=True)
DOCUMENTS = (
    document("svg", "image/svg+xml", "<svg/>"),
    document("dot", "text/vnd.graphviz", "digraph {}"),
    document("json", "application/json", '{"nodes": []}'),
)
NOT_INSTALLED = "There is only DOT and JSON, no drawing: Graphviz is not installed on this worker."


async def architecture(
    client: httpx.AsyncClient,
    worker: FakeWorker,
    accept: str | None,
    artifacts: Sequence[EncodedArtifact],
    warnings: tuple[str, ...] = (),
) -> httpx.Response:
    headers = {"Accept": accept} if accept else {}
    asking = asyncio.create_task(client.post("/v1/architecture", data={"model": "vgg16"}, headers=headers))
    facts = {"nodes": 1, "edges": 0, "clusters": 0, "parameters": 7}
    await worker.complete(await worker.claim(), artifacts, facts, warnings)
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
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, media_type, content)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ("content-security-policy" in answer.headers) == (accept is not None)


async def test_a_zip_file_has_the_documents(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await architecture(client, worker, "application/zip", (DRAWING, *DOCUMENTS))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["drawing.png", "svg.svg", "dot.dot", "json.json", "job.json"]
        assert archive.read("json.json") == b'{"nodes": []}'


async def test_a_picture_that_was_not_made(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    """Whoever takes anything gets the best there is; whoever wants the picture is told why there is none."""
    problem = problem_of(await architecture(client, worker, "image/png", DOCUMENTS[1:], (NOT_INSTALLED,)), 406, "not_acceptable")
    assert NOT_INSTALLED in problem.detail
    assert problem.allowed == "text/vnd.graphviz, application/json, application/zip"
    answer = await client.post("/v1/architecture", data={"model": "vgg16"}, headers={"Accept": "image/png, */*;q=0.1"})
    assert (answer.headers["content-type"], answer.content) == ("text/vnd.graphviz; charset=utf-8", b"digraph {}")


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
        assert (answer.headers["content-type"], read.format, read.n_frames) == ("image/gif", "GIF", 2)
    assert answer.headers["content-disposition"] == 'inline; filename="filters_animation.gif"'


async def test_an_animation_that_was_not_asked_for(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await filters(client, worker, 0, (picture("grid", OVERLAY, primary=True),))
    problem = problem_of(answer, 406, "not_acceptable")
    assert "only if `frames` is above 0" in problem.detail
    assert (problem.got, "image/png" in (problem.allowed or "")) == ("image/gif", True)
