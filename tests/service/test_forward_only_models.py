"""Models that can only be run, over HTTP: what they are, and the answer to a method that needs more."""

from __future__ import annotations

import httpx
import pytest

from tests.schemas.tiny import description
from tests.service.fake_worker import FakeWorker, png
from tests.service.test_errors import problem_of


@pytest.fixture
async def forward_only(worker: FakeWorker) -> FakeWorker:
    await worker.publish(description(layers=(), default_layer=None, forward_only=True))
    return worker


async def test_a_method_that_needs_layers_is_refused_at_the_door(client: httpx.AsyncClient, forward_only: FakeWorker) -> None:
    answer = await client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": png()})
    problem = problem_of(answer, 422, "forward_only_model")
    assert f"grad_cam needs them. These methods work with it: {problem.allowed}." in problem.detail
    assert await forward_only.nothing_queued()
    listed = (await client.get("/v1/methods")).json()
    works = {method["name"] for method in listed if method["forward_only"]}
    assert works == set((problem.allowed or "").split(", ")) >= {"lime", "occlusion", "predict", "rise"}
    assert works.isdisjoint({"grad_cam", "saliency", "activations"})
    assert (await client.get("/v1/models/vgg16")).json()["forward_only"] is True


async def test_a_method_that_only_runs_the_model_is_queued(client: httpx.AsyncClient, forward_only: FakeWorker) -> None:
    answer = await client.post("/v1/occlusion", data={"model": "vgg16"}, files={"image": png()}, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    assert (await forward_only.claim("slow")).method == "occlusion"
    answer = await client.post("/v1/occlusion", data={"model": "vgg16", "precision": "bfloat16"}, files={"image": png()})
    assert problem_of(answer, 422, "invalid_parameters").pointer == "/precision"
