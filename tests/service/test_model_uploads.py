"""A model that is uploaded is checked by a worker and kept whole, or nothing of it is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from jobstore.store import JobStore
from schemas.models import PublishedModel
from service.app import create_app
from service.settings import ServiceSettings
from tests.service.checking_worker import HDF5, KERAS, CheckingWorker, checking, files_in
from tests.service.conftest import client_of
from tests.service.keys import caller
from tests.service.test_errors import problem_of
from tests.service.test_submit import cam
from tests.wait import until


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    settings.models_dir.mkdir()
    return settings.model_copy(update={"model_uploads": True})


@pytest.fixture
async def checker(store: JobStore, settings: ServiceSettings) -> AsyncIterator[CheckingWorker]:
    async with checking(store, settings) as worker:
        yield worker


async def sources(client: httpx.AsyncClient) -> dict[str, str]:
    return {model["name"]: model["source"] for model in (await client.get("/v1/models")).json()}


async def test_an_upload_is_described_and_every_service_has_it(
    client: httpx.AsyncClient, settings: ServiceSettings, store: JobStore, checker: CheckingWorker
) -> None:
    answer = await client.put("/v1/models/flowers", content=KERAS)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == "/v1/models/flowers"
    assert (answer.json()["name"], answer.json()["source"], answer.json()["title"]) == ("flowers", "upload", "flowers.keras")
    assert checker.seen == [KERAS]
    assert files_in(settings.models_dir) == {"uploads/flowers.keras"}
    assert (settings.models_dir / "uploads" / "flowers.keras").read_bytes() == KERAS
    async with client_of(create_app(settings, store)) as other:
        assert (await sources(other))["flowers"] == "upload"
        assert (await other.get("/v1/models/flowers")).json() == answer.json()
    assert len(checker.seen) == 1, "the description that was made for the check is that of the model"


async def test_a_replaced_model_is_another_version_and_its_description_is_new(
    client: httpx.AsyncClient, settings: ServiceSettings, store: JobStore, checker: CheckingWorker
) -> None:
    files = [KERAS, KERAS[:-1] + b"\0", HDF5, KERAS]
    answers = [await client.put("/v1/models/flowers", content=file) for file in files]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200]
    assert checker.seen == files
    digests = [entry.digest for entry in checker.entries]
    assert len(set(digests)) == 4
    assert files_in(settings.models_dir) == {"uploads/flowers.keras"}
    published = await store.models.read_many([("flowers", digest) for digest in digests])
    assert [isinstance(each, PublishedModel) for each in published] == [False, False, False, True]


async def test_a_running_job_ends_on_the_old_version_and_its_result_is_not_that_of_the_new_one(
    client: httpx.AsyncClient, checker: CheckingWorker
) -> None:
    ids: list[str] = []
    for number, file in enumerate((KERAS, HDF5)):
        assert (await client.put("/v1/models/flowers", content=file)).is_success
        ids.append((await client.post("/v1/jobs", json=cam(model="flowers"))).json()["id"])
        await until(lambda expected=number + 1: len(checker.jobs) == expected)
    assert [job.model_digest for job in checker.jobs] == [entry.digest for entry in checker.entries]
    await checker.complete(checker.jobs[0])
    states = [(await client.get(f"/v1/jobs/{each}")).json()["state"] for each in ids]
    assert states == ["succeeded", "running"]


async def test_what_a_worker_refuses_leaves_nothing_and_the_old_model_stays(
    client: httpx.AsyncClient, settings: ServiceSettings, store: JobStore, checker: CheckingWorker
) -> None:
    checker.refuses = "'flowers.keras' has a Lambda layer."
    problem = problem_of(await client.put("/v1/models/flowers", content=KERAS), 422, "model_load_failed")
    assert problem.detail == checker.refuses
    assert files_in(settings.models_dir) == set()
    checker.refuses = None
    assert (await client.put("/v1/models/flowers", content=KERAS)).status_code == 201
    before = (await client.get("/v1/models/flowers")).json()
    checker.refuses = "'flowers.h5' is damaged."
    problem_of(await client.put("/v1/models/flowers", content=HDF5), 422, "model_load_failed")
    assert files_in(settings.models_dir) == {"uploads/flowers.keras"}
    assert (settings.models_dir / "uploads" / "flowers.keras").read_bytes() == KERAS
    assert (await client.get("/v1/models/flowers")).json() == before
    refused = [("flowers", checker.entries[number].digest) for number in (0, 2)]
    assert await store.models.read_many(refused) == [None, None], "no reason of a file that is gone is kept"


async def test_delete_removes_the_file_its_settings_and_its_description(
    client: httpx.AsyncClient, settings: ServiceSettings, store: JobStore, checker: CheckingWorker
) -> None:
    uploads = settings.models_dir / "uploads"
    assert (await client.put("/v1/models/flowers", content=KERAS)).status_code == 201
    (uploads / "flowers.toml").write_text('title = "Flowers"')
    assert (await client.get("/v1/models/flowers")).json()["title"] == "Flowers"
    assert (await client.delete("/v1/models/flowers")).status_code == 204
    assert files_in(settings.models_dir) == set()
    assert "flowers" not in await sources(client)
    assert await store.models.read_many([("flowers", checker.entries[-1].digest)]) == [None]
    problem_of(await client.delete("/v1/models/flowers"), 404, "unknown_model")


async def test_the_operators_models_are_neither_replaced_nor_deleted(
    client: httpx.AsyncClient, settings: ServiceSettings, checker: CheckingWorker
) -> None:
    models = settings.models_dir
    (models / "own.h5").write_bytes(b"the operator's")
    (models / "broken.keras").write_bytes(b"the operator's")
    (models / "broken.toml").write_text("title = ")
    for name in ("own", "broken", "vgg16", "efficientnet_lite0"):
        for answer in (await client.put(f"/v1/models/{name}", content=KERAS), await client.delete(f"/v1/models/{name}")):
            assert problem_of(answer, 409, "model_not_uploaded").got == name
    assert files_in(models) == {"own.h5", "broken.keras", "broken.toml"}
    assert checker.seen == []


@pytest.mark.slow
async def test_an_upload_whose_name_the_operator_takes_later_can_be_deleted(
    client: httpx.AsyncClient, settings: ServiceSettings, checker: CheckingWorker
) -> None:
    assert (await client.put("/v1/models/flowers", content=KERAS)).status_code == 201
    (settings.models_dir / "flowers.h5").write_bytes(b"the operator's")
    assert {name: source for name, source in (await sources(client)).items() if "flowers" in name} == {
        "flowers": "file",
        "flowers.keras": "upload",
    }
    problem_of(await client.put("/v1/models/flowers", content=KERAS), 409, "model_not_uploaded")
    assert (await client.delete("/v1/models/flowers")).status_code == 204
    assert files_in(settings.models_dir) == {"flowers.h5"}
    problem_of(await client.delete("/v1/models/flowers"), 409, "model_not_uploaded")


async def test_a_key_needs_the_scope_admin_and_loopback_without_keys_needs_the_setting(
    settings: ServiceSettings, store: JobStore, checker: CheckingWorker
) -> None:
    keyed = create_app(settings.model_copy(update={"auth": "required"}), store)
    async with client_of(keyed) as nobody:
        problem_of(await nobody.put("/v1/models/flowers", content=KERAS), 401, "unauthenticated")
    async with caller(keyed, store, "ada") as ada:
        problem_of(await ada.put("/v1/models/flowers", content=KERAS), 403, "scope_missing")
        problem_of(await ada.delete("/v1/models/flowers"), 403, "scope_missing")
    async with caller(keyed, store, "root", "admin") as root:
        assert (await root.put("/v1/models/flowers", content=KERAS)).status_code == 201
        assert (await root.delete("/v1/models/flowers")).status_code == 204
    async with client_of(create_app(settings.model_copy(update={"model_uploads": False}), store)) as client:
        for answer in (await client.put("/v1/models/flowers", content=KERAS), await client.delete("/v1/models/flowers")):
            assert "CONVSCOPE_MODEL_UPLOADS" in problem_of(answer, 403, "model_uploads_off").detail
    off = create_app(settings.model_copy(update={"auth": "required", "model_uploads": False}), store)
    async with caller(off, store, "root", "admin") as root:
        problem_of(await root.put("/v1/models/flowers", content=KERAS), 403, "model_uploads_off")
    assert files_in(settings.models_dir) == set()


async def test_without_a_worker_nothing_is_received(client: httpx.AsyncClient, settings: ServiceSettings) -> None:
    problem = problem_of(await client.put("/v1/models/flowers", content=KERAS), 503, "no_workers")
    assert problem.retryable
    assert files_in(settings.models_dir) == set()


async def test_a_models_folder_that_cannot_be_written_to_is_told(
    app: FastAPI, client: httpx.AsyncClient, settings: ServiceSettings, checker: CheckingWorker, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.models_dir.rmdir()
    settings.models_dir.write_bytes(b"this is no folder")
    problem = problem_of(await client.put("/v1/models/flowers", content=KERAS), 403, "model_uploads_off")
    assert "cannot write to the models folder" in problem.detail
    assert str(settings.models_dir) not in problem.detail
    async with app.router.lifespan_context(app):
        pass
    assert "models_cannot_be_uploaded" in capsys.readouterr().out


@pytest.mark.slow
async def test_a_file_that_no_worker_sees_is_not_kept(settings: ServiceSettings, store: JobStore, tmp_path: Path) -> None:
    other_folder = settings.model_copy(update={"models_dir": tmp_path / "elsewhere"})
    async with checking(store, other_folder), client_of(create_app(settings.model_copy(update={"describe_wait": 0.1}), store)) as client:
        problem = problem_of(await client.put("/v1/models/flowers", content=KERAS), 503, "model_changed")
    assert "CONVSCOPE_MODELS_DIR" in problem.detail
    assert files_in(settings.models_dir) == set()
