"""Submissions while no worker is alive, and while service and workers see different versions of a model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from catalog.catalog import Catalog
from jobstore.records import DESCRIBE, Execution
from jobstore.store import JobStore
from schemas.models import PublishedModel
from service.dependencies import services_of
from service.settings import ServiceSettings
from tests.schemas.tiny import LABELS, description
from tests.service.fake_worker import FakeWorker, catalog_of
from tests.service.test_errors import problem_of
from tests.service.test_submit import PHOTO, cam

FORM: dict[str, Any] = {"data": {"model": "resnet50"}, "files": {"image": PHOTO}}


async def test_a_described_model_needs_no_living_worker(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    assert await store.workers.alive() == []
    answer = await client.post("/v1/jobs", json=cam())
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    await worker.live("vgg16")
    await worker.work()
    assert (await client.get(answer.headers["location"])).json()["state"] == "succeeded"


async def _starts_late(worker: FakeWorker) -> None:
    await asyncio.sleep(1.0)
    await worker.live()
    await worker.describe(description("resnet50"))
    await worker.work()


@pytest.mark.parametrize("headers", [{"Prefer": "wait=8"}, {}], ids=["wait=8", "the one-line form's own wait"])
async def test_an_unknown_model_is_waited_for_until_a_worker_starts(
    client: httpx.AsyncClient, worker: FakeWorker, headers: dict[str, str]
) -> None:
    late = asyncio.create_task(_starts_late(worker))
    answer = await client.post("/v1/grad_cam", **FORM, headers=headers)
    await late
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")


async def test_a_submission_waits_for_a_worker_too(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    late = asyncio.create_task(_starts_late(worker))
    answer = await client.post("/v1/jobs", json=cam(model="resnet50"), headers={"Prefer": "wait=8"})
    await late
    assert (answer.status_code, answer.json()["state"]) == (200, "succeeded")


@pytest.mark.parametrize("seconds", [0, 1])
async def test_if_no_worker_starts_the_problem_says_so(client: httpx.AsyncClient, worker: FakeWorker, seconds: int) -> None:
    started = time.monotonic()
    waited = await client.post("/v1/grad_cam", **FORM, headers={"Prefer": f"wait={seconds}"})
    assert time.monotonic() - started >= seconds
    for answer in (waited, await client.post("/v1/jobs", json=cam(model="resnet50"))):
        problem = problem_of(answer, 503, "no_workers")
        assert "No worker is alive to load model 'resnet50', and none has described it before." in problem.detail
        assert int(answer.headers["retry-after"]) > 0
    await worker.live()
    if seconds:
        await worker.describe(description("resnet50"))  # whoever waited has left the request for a description behind
        assert (await client.post("/v1/jobs", json=cam(model="resnet50"))).status_code == 202


async def test_a_service_that_shuts_down_waits_for_no_worker(app: FastAPI, client: httpx.AsyncClient, worker: FakeWorker) -> None:
    waiting = asyncio.create_task(client.post("/v1/grad_cam", **FORM))
    while not (await worker._store.queue.depth()).lanes["fast"].queued:
        await asyncio.sleep(0.01)
    services_of(app).drain.begin()
    answer = await waiting
    assert problem_of(answer, 503, "shutting_down").retryable
    assert answer.headers["retry-after"] == "1"
    assert (await client.post("/v1/jobs", json=cam())).status_code == 202, "a described model is still served"


class _Folder:
    """A models folder that an operator changes while the service runs."""

    def __init__(self, settings: ServiceSettings, store: JobStore) -> None:
        self._settings, self._store = settings, store
        settings.models_dir.mkdir(exist_ok=True)

    @property
    def file(self) -> Path:
        return self._settings.models_dir / "mine.keras"

    def catalog(self) -> Catalog:
        return catalog_of(self._settings.models_file, self._settings.models_dir)

    async def publish(self) -> str:
        """Publish what is in the folder now, and return its digest."""
        digest = self.catalog()["mine"].digest
        await self._store.models.publish(PublishedModel(description=description("mine"), labels=LABELS, digest=digest))
        return digest


@pytest.fixture
def folder(settings: ServiceSettings, store: JobStore) -> _Folder:
    return _Folder(settings, store)


async def _refuse(worker: FakeWorker) -> Execution:
    """Refuse to describe a model, as a worker does that has another version of it."""
    execution = await worker.claim()
    assert execution.method == DESCRIBE
    await worker.fail(execution, "model_changed", "The service has model 'mine', and the worker does not have it yet.", retryable=True)
    return execution


async def _with(asking: Coroutine[Any, Any, httpx.Response], acting: Coroutine[Any, Any, None]) -> httpx.Response:
    task = asyncio.create_task(asking)
    await acting
    return await task


async def test_a_worker_whose_folder_is_behind_is_asked_again(client: httpx.AsyncClient, worker: FakeWorker, folder: _Folder) -> None:
    folder.file.write_bytes(b"one")
    await worker.live()

    async def catch_up() -> None:
        for _ in range(2):
            await _refuse(worker)
        execution = await worker.claim()
        assert execution.model_digest == await folder.publish()
        await worker.complete(execution, (), {})

    assert (await _with(client.post("/v1/jobs", json=cam(model="mine")), catch_up())).status_code == 202


async def test_a_file_that_changes_while_its_model_is_described_is_looked_at_again(
    client: httpx.AsyncClient, worker: FakeWorker, folder: _Folder
) -> None:
    folder.file.write_bytes(b"half")
    await worker.live()

    async def grow() -> None:
        first = await worker.claim()
        folder.file.write_bytes(b"half and half")
        await worker.fail(first, "model_changed", "Model 'mine' has another version on the worker.", retryable=True)
        execution = await worker.claim()
        assert execution.model_digest == await folder.publish() != first.model_digest
        await worker.complete(execution, (), {})
        job = await worker.claim()
        assert (job.method, job.model_digest) == ("grad_cam", execution.model_digest)
        await worker.complete(job)

    answer = await _with(client.post("/v1/jobs", json=cam(model="mine"), headers={"Prefer": "wait=20"}), grow())
    assert (answer.status_code, answer.json()["state"]) == (200, "succeeded")
