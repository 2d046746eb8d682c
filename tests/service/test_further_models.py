"""Jobs of several models: each model is looked up, checked, and part of what identical jobs are recognised by."""

from __future__ import annotations

import json

import httpx
import pytest

from jobstore.store import JobStore
from schemas.models import UnloadableModel
from service.settings import ServiceSettings
from tests.schemas.tiny import description
from tests.service.fake_worker import FakeWorker, catalog_of
from tests.service.test_errors import problem_of
from tests.service.test_images_by_id import uploaded


def asked(images: list[str], models: list[str], **params: object) -> dict[str, object]:
    return {"method": "compare_models", "model": "vgg16", "params": {"images": images, "models": models, **params}}


@pytest.fixture
async def second(worker: FakeWorker) -> None:
    await worker.publish(description("vgg19", default_layer="block5_conv1"))


async def test_the_worker_gets_both_models_with_their_own_parameters(
    client: httpx.AsyncClient, worker: FakeWorker, second: None, settings: ServiceSettings
) -> None:
    images = await uploaded(client, 2)
    answer = await client.post("/v1/jobs", json=asked(images, ["vgg19"]))
    assert answer.status_code == 202, answer.text
    execution = await worker.claim("slow")
    catalog = catalog_of(settings.models_file, settings.models_dir)
    assert (execution.model_digest, execution.further_models) == (catalog["vgg16"].digest, {"vgg19": catalog["vgg19"].digest})
    layers = [each["layer"] for each in json.loads(execution.params)["options"]]
    assert layers == ["block5_conv3", "block5_conv1"]
    form = {"model": "vgg16", "images": ",".join(images), "models": "vgg19"}
    answer = await client.post("/v1/compare_models", data=form, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    assert await worker.nothing_queued("slow")  # it is the same job


async def test_an_equal_job_gets_the_earlier_result(client: httpx.AsyncClient, worker: FakeWorker, second: None) -> None:
    images = await uploaded(client, 1)
    first = await client.post("/v1/jobs", json=asked(images, ["vgg19"]))
    await worker.complete(await worker.claim("slow"))
    again = await client.post("/v1/jobs", json=asked(images, ["vgg19"]))
    assert (first.status_code, again.status_code, again.json()["cached"]) == (202, 200, True)


async def test_a_new_fingerprint_of_the_second_model_is_other_work(
    client: httpx.AsyncClient, worker: FakeWorker, store: JobStore, settings: ServiceSettings, second: None
) -> None:
    from service.app import create_app
    from tests.service.conftest import client_of

    images = await uploaded(client, 1)
    assert (await client.post("/v1/jobs", json=asked(images, ["vgg19"]))).status_code == 202
    await worker.claim("slow")
    await worker.publish(description("vgg19", default_layer="block5_conv1", fingerprint="e" * 64))
    async with client_of(create_app(settings, store)) as other:  # it keeps no earlier description
        assert (await other.post("/v1/jobs", json=asked(images, ["vgg19"]))).status_code == 202
    await worker.claim("slow")


async def test_an_unusable_model_is_refused_with_its_place_and_reason(
    client: httpx.AsyncClient, worker: FakeWorker, store: JobStore, settings: ServiceSettings
) -> None:
    digest = catalog_of(settings.models_file, settings.models_dir)["vgg19"].digest
    await store.models.publish_failure(UnloadableModel(name="vgg19", digest=digest, reason="Its file is damaged."))
    problem = problem_of(await client.post("/v1/jobs", json=asked(await uploaded(client, 1), ["vgg19"])), 422, "model_load_failed")
    assert problem.detail == "Its file is damaged."
    assert problem.pointer == "/params/models/0"


@pytest.mark.parametrize(
    ("models", "params", "status", "code", "pointer"),
    [
        (["vgg20"], {}, 422, "unknown_model", "/params/models/0"),
        (["VGG19"], {}, 422, "unknown_model", "/params/models/0"),
        (["vgg19", "vgg19"], {}, 422, "invalid_parameters", "/params/models"),
        (["vgg16"], {}, 422, "invalid_parameters", "/params/models/0"),
        (["a", "b", "c", "d"], {}, 422, "limit_exceeded", "/params/models"),
        (["vgg19"], {"options": [{}, {"layer": "block9"}]}, 422, "unknown_layer", "/params/options/1/layer"),
        (["vgg19"], {"options": {"layer": "block9"}}, 422, "unknown_layer", "/params/options/layer"),
    ],
)
async def test_a_wrong_model_or_option_is_refused_with_its_place(
    client: httpx.AsyncClient,
    worker: FakeWorker,
    second: None,
    models: list[str],
    params: dict[str, object],
    status: int,
    code: str,
    pointer: str,
) -> None:
    answer = await client.post("/v1/jobs", json=asked(await uploaded(client, 1), models, **params))
    assert problem_of(answer, status, code).pointer == pointer
    assert await worker.nothing_queued("slow")
