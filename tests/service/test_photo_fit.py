"""`fit` over HTTP: where it can stand, what it is without being given, and which jobs and submissions it makes different or wrong."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import numpy as np
import pytest

from service.batches.stored_item import StoredItem, submission_of
from tests.schemas.tiny import description
from tests.service.fake_worker import FakeWorker, npy, png
from tests.service.test_errors import problem_of
from tests.service.test_job_inputs import of_bands


def body(method: str = "grad_cam", image: bytes | None = None, **fields: Any) -> dict[str, Any]:
    inline = {"base64": base64.b64encode(image or png()).decode()}
    return {"method": method, "model": "vgg16", "image": inline, **fields}


async def test_without_a_fit_a_job_has_the_models_own(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    own = description()
    await worker.publish(own.model_copy(update={"preprocessing": own.preprocessing.model_copy(update={"fit": "letterbox"})}))
    assert (await client.post("/v1/jobs", json=body())).json()["params"]["fit"] == "letterbox"
    await worker.work()
    assert (await client.post("/v1/jobs", json=body(fit="letterbox"))).json()["cached"] is True
    other = (await client.post("/v1/jobs", json=body(fit="stretch"))).json()
    assert (other["cached"], other["params"]["fit"]) == (False, "stretch")


async def test_it_stands_beside_the_image_in_the_parameters_or_in_a_form(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    for fields in ({"fit": "crop"}, {"params": {"fit": "crop"}}, {"fit": "crop", "params": {"fit": "crop"}}):
        answer = await client.post("/v1/jobs", json=body(**fields))
        assert answer.json()["params"]["fit"] == "crop", answer.text
    execution = await worker.claim()
    assert json.loads(execution.params)["fit"] == "crop"
    assert await worker.nothing_queued()  # the three jobs are one execution
    await worker.complete(execution)
    form = {"model": "vgg16", "fit": "crop"}
    answer = await client.post("/v1/grad_cam", data=form, files={"image": png()}, headers={"Accept": "application/json"})
    assert (answer.json()["cached"], answer.json()["params"]["fit"]) == (True, "crop")


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"fit": "cover"}, "/fit", "one of stretch, crop, letterbox; got cover"),
        ({"params": {"fit": "cover"}}, "/params/fit", "one of stretch, crop, letterbox; got cover"),
        ({"fit": "crop", "params": {"fit": "stretch"}}, "/fit", "crop beside params"),
        ({"method": "deep_dream", "fit": "crop"}, "/fit", "fit"),
        ({"method": "deep_dream", "params": {"fit": "crop"}}, "/params/fit", "fit"),
        ({"method": "faithfulness", "params": {"options": {"fit": "crop"}}}, "/params/options/fit", "beside options"),
        ({"method": "faithfulness", "params": {"options": {"input": "x"}}}, "/params/options/input", "beside options"),
    ],
)
async def test_a_wrong_fit_is_refused(
    client: httpx.AsyncClient, worker: FakeWorker, fields: dict[str, Any], pointer: str, words: str
) -> None:
    problem = problem_of(await client.post("/v1/jobs", json=body(**fields)), 422, "invalid_parameters")
    (error,) = problem.errors
    assert error.pointer == pointer
    assert words in error.detail


async def test_an_array_takes_no_fit(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.publish(of_bands())
    array = npy(np.ones((3, 4, 6), np.float32))
    problem = problem_of(await client.post("/v1/jobs", json=body("predict", array, fit="crop")), 422, "invalid_parameters")
    assert "the image is an array" in problem.detail
    assert (await client.post("/v1/jobs", json=body("predict", array))).json()["params"]["fit"] is None


@pytest.mark.parametrize(
    ("defaults", "own", "expected"),
    [
        ({"fit": "crop", "params": {"alpha": 1}}, {}, {"fit": "crop", "params": {"alpha": 1}}),
        ({"fit": "crop"}, {"fit": "stretch"}, {"fit": "stretch"}),
        ({"fit": "crop"}, {"params": {"fit": "stretch"}}, {"params": {"fit": "stretch"}}),
        ({"params": {"fit": "crop", "alpha": 1}}, {"fit": "stretch"}, {"fit": "stretch", "params": {"alpha": 1}}),
    ],
)
def test_the_fit_of_a_batchs_item_is_laid_over_that_of_the_defaults(
    defaults: dict[str, Any], own: dict[str, Any], expected: dict[str, Any]
) -> None:
    submission = json.loads(submission_of(StoredItem(None, own), StoredItem(None, defaults)))
    assert submission == {"priority": "low", **expected}


async def test_the_schemas_of_submissions_show_it(client: httpx.AsyncClient) -> None:
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    for name in ("GradCamRequest", "FeatureInversionRequest", "TopPatchesRequest", "RiseForm", "BatchItem", "Provenance"):
        assert {"stretch", "crop", "letterbox"} <= set(json.dumps(schemas[name]["properties"]["fit"]).split('"'))
    assert not any("fit" in schemas[name]["properties"] for name in ("DeepDreamRequest", "SandboxRequest", "FiltersRequest"))
