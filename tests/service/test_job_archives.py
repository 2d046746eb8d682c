"""`POST /v1/jobs.zip` and `GET /v1/jobs/{id}/artifacts.zip`: a picture and its facts in one answer."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile

import httpx
import numpy as np
import pytest

from schemas.artifacts import EncodedArtifact
from service.access_rules import counted_as, required_scope
from tests.service.fake_worker import CAM_ARTIFACTS, CAM_FACTS, MAP, OVERLAY, FakeWorker, array, pixels
from tests.service.test_errors import problem_of
from tests.service.test_submit import cam


def files_of(answer: httpx.Response) -> dict[str, bytes]:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip"), answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == len(archive.namelist())
        return {name: archive.read(name) for name in archive.namelist()}


async def asked(
    client: httpx.AsyncClient, worker: FakeWorker, names: str | None = None, artifacts: tuple[EncodedArtifact, ...] = CAM_ARTIFACTS
) -> httpx.Response:
    params = {} if names is None else {"names": names}
    asking = asyncio.create_task(client.post("/v1/jobs.zip", json=cam(), params=params))
    await worker.complete(await worker.claim(), artifacts)
    return await asking


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (None, {"overlay.png", "heatmap.png", "map.npy"}),
        ("primary", {"overlay.png"}),
        ("arrays", {"map.npy"}),
        (" primary, arrays ", {"overlay.png", "map.npy"}),
        ("heatmap", {"heatmap.png"}),
    ],
)
async def test_the_answer_has_the_artifacts_that_are_named_and_the_job(
    client: httpx.AsyncClient, worker: FakeWorker, names: str | None, expected: set[str]
) -> None:
    answer = await asked(client, worker, names)
    files = files_of(answer)
    assert files.keys() == expected | {"job.json"}
    job = json.loads(files["job.json"])
    assert job["facts"] == CAM_FACTS
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert answer.headers["content-disposition"] == f'attachment; filename="grad_cam_{job["id"]}.zip"'
    if "overlay.png" in files:
        np.testing.assert_array_equal(pixels(files["overlay.png"]), OVERLAY)
    if "map.npy" in files:
        np.testing.assert_array_equal(np.load(io.BytesIO(files["map.npy"])), MAP)
    later = await client.get(f"/v1/jobs/{job['id']}/artifacts.zip", params={} if names is None else {"names": names})
    assert files_of(later) == files


async def test_an_artifact_that_the_method_does_not_make_is_refused_before_anything_runs(
    client: httpx.AsyncClient, worker: FakeWorker
) -> None:
    problem = problem_of(await client.post("/v1/jobs.zip", json=cam(), params={"names": "map,overlai"}), 422, "invalid_parameters")
    assert problem.errors is not None
    wrong = problem.errors[0]
    assert (wrong.pointer, wrong.got, wrong.nearest) == ("/names", "overlai", ("overlay",))
    assert wrong.detail.endswith("Allowed: overlay, heatmap, map, map.{layer}, animation, primary, arrays.")
    assert await worker.nothing_queued()


async def test_the_map_of_one_layer_can_be_named(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    made = (array("map.base.conv1", MAP), array("map.base.conv2", MAP))
    assert files_of(await asked(client, worker, "map.base.conv1", made)).keys() == {"map.base.conv1.npy", "job.json"}


async def test_layers_of_nested_models_have_files_of_their_own(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    files = files_of(await asked(client, worker, "arrays", (array("base/conv", MAP), array("base_conv", 2 * MAP))))
    assert files.keys() == {"base%2Fconv.npy", "base_conv.npy", "job.json"}
    np.testing.assert_array_equal(np.load(io.BytesIO(files["base_conv.npy"])), 2 * MAP)


async def test_a_failed_job_is_answered_as_json(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    asking = asyncio.create_task(client.post("/v1/jobs.zip", json=cam()))
    await worker.fail(await worker.claim(), "no_gradient", "No gradient reaches the layer.")
    answer = await asking
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    job = answer.json()
    assert (job["state"], job["error"]["code"]) == ("failed", "no_gradient")
    problem = problem_of(await client.get(f"/v1/jobs/{job['id']}/artifacts.zip"), 404, "not_found")
    assert problem.detail.endswith("has no artifacts: it is failed. A job has artifacts once it has succeeded.")


@pytest.mark.parametrize("prefer", ["respond-async", "wait=0"])
async def test_a_job_that_has_not_ended_is_answered_as_json(client: httpx.AsyncClient, worker: FakeWorker, prefer: str) -> None:
    answer = await client.post("/v1/jobs.zip", json=cam(), headers={"Prefer": prefer})
    assert (answer.status_code, answer.headers["content-type"]) == (202, "application/json")
    path = answer.headers["location"]
    assert answer.json()["state"] == "queued"
    assert problem_of(await client.get(f"{path}/artifacts.zip"), 404, "not_found").detail.startswith(f"Job {answer.json()['id']} has no")
    await worker.work()
    assert "overlay.png" in files_of(await client.get(f"{path}/artifacts.zip"))


def test_it_counts_as_a_submission() -> None:
    assert counted_as("POST", "/v1/jobs.zip") == "submissions"
    assert required_scope("POST", "/v1/jobs.zip") == "submit"
    assert required_scope("GET", "/v1/jobs/{job_id}/artifacts.zip") == "read"
