"""Nobody reaches what belongs to another owner. Every operation of the OpenAPI document is tried, so that a new one needs a rule here."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from jobstore.store import JobStore
from schemas.methods import METHODS
from schemas.methods.several_images import ImagesParams
from service.batches.feeder import BatchFeeder
from service.dependencies import services_of
from service.settings import ServiceSettings
from tests.schemas.tiny import description
from tests.service.fake_worker import FakeWorker, png
from tests.service.keys import caller
from tests.service.test_errors import problem_of
from tests.service.test_submit import PHOTO, cam

# These operations name nothing that belongs to an owner: what they show is the same for everybody.
SHOWS_NOTHING_OWNED = {
    "welcome", "livez", "readyz", "metrics", "list_methods", "get_method", "list_models", "get_model", "list_layers", "search_labels",
    "list_problems", "get_problem",
}  # fmt: skip
# These name something in the path. The id of another owner's is answered with 404, and nothing happens to it.
NAMES_IT_IN_THE_PATH = {
    "get_job", "job_events", "cancel_job", "delete_job", "get_artifact", "job_archive", "get_batch", "batch_results", "batch_archive",
    "batch_events", "cancel_batch", "delete_batch", "get_image", "delete_image", "get_set", "delete_set",
}  # fmt: skip
LISTS_WHAT_IS_OWNED = {"list_jobs", "list_batches", "list_images", "list_sets"}
# These name uploads in the body. Every method is tried below.
NAMES_IT_IN_THE_QUERY = {"follow_events"}
NAMES_IT_IN_THE_BODY = {
    "submit_job",
    "submit_job_zip",
    "submit_batch",
    "make_set",
    *(f"run_{name}{kind}" for name in METHODS for kind in ("", "_json")),
}
MAKES_SOMETHING_NEW = {"upload_image"}
# `test_webhooks.py` shows that each owner has its own.
HAS_ONE_OF_ITS_OWN = {"get_webhook_secret", "rotate_webhook_secret", "list_webhook_endpoints"}
NEEDS_ADMIN = {"add_key", "list_keys", "revoke_key", "upload_model", "delete_model"}


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    return settings.model_copy(update={"auth": "required", "max_submissions_per_minute": 1000})  # every method is tried


@dataclass(frozen=True)
class Belongings:
    """Ada's things: a job with results, an upload and a batch. The names are those of parameters in paths."""

    job_id: str
    image_id: str
    batch_id: str
    set_id: str
    name: str = "overlay"
    model: str = "flowers"
    key_id: str = "0123456789ab"


@pytest.fixture
async def ada(app: FastAPI, store: JobStore) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(app, store, "ada") as client:
        yield client


@pytest.fixture
async def bob(app: FastAPI, store: JobStore) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(app, store, "bob") as client:
        yield client


@pytest.fixture
async def belongings(ada: httpx.AsyncClient, worker: FakeWorker) -> Belongings:
    image_id = (await ada.post("/v1/images", files={"image": png(seed=6)})).json()["id"]
    job_id = (await ada.post("/v1/jobs", json=cam(image={"id": image_id}))).json()["id"]
    await worker.work()
    batch_id = (await ada.post("/v1/batches", json={"items": [cam(image={"id": image_id})]})).json()["id"]
    set_id = (await ada.post("/v1/sets", json={"name": "mine", "images": [image_id]})).json()["id"]
    return Belongings(job_id, image_id, batch_id, set_id)


def test_every_operation_has_one_rule(app: FastAPI) -> None:
    rules = [
        SHOWS_NOTHING_OWNED,
        NAMES_IT_IN_THE_PATH,
        NAMES_IT_IN_THE_QUERY,
        LISTS_WHAT_IS_OWNED,
        NAMES_IT_IN_THE_BODY,
        MAKES_SOMETHING_NEW,
        HAS_ONE_OF_ITS_OWN,
        NEEDS_ADMIN,
    ]
    for _, _, name in operations(app):
        assert sum(name in rule for rule in rules) == 1, f"Say in this file what another owner may see of the operation {name}."
    for path, _, name in operations(app):
        if name in NAMES_IT_IN_THE_PATH:
            assert "{" in path, name


async def test_what_is_named_in_the_path(app: FastAPI, ada: httpx.AsyncClient, bob: httpx.AsyncClient, belongings: Belongings) -> None:
    tried = set[str]()
    for path, verb, name in operations(app):
        if name in NAMES_IT_IN_THE_PATH:
            problem_of(await bob.request(verb, path.format(**vars(belongings))), 404, "not_found")
            tried.add(name)
        elif name in NAMES_IT_IN_THE_QUERY:
            for query in ({"jobs": belongings.job_id}, {"batch": belongings.batch_id}):
                problem_of(await bob.request(verb, path, params=query), 404, "not_found")
        elif name in LISTS_WHAT_IS_OWNED:
            assert (await bob.get(path)).json()["items"] == []
            assert len((await ada.get(path)).json()["items"]) == 1
        elif name in NEEDS_ADMIN:
            problem_of(await bob.request(verb, path.format(**vars(belongings))), 403, "scope_missing")
    assert tried == NAMES_IT_IN_THE_PATH
    assert (await ada.get(f"/v1/jobs/{belongings.job_id}")).json()["state"] == "succeeded"
    assert (await ada.get(f"/v1/jobs/{belongings.job_id}/artifacts/overlay")).status_code == 200
    assert (await ada.get(f"/v1/images/{belongings.image_id}")).content == png(seed=6)


async def test_an_upload_that_two_owners_have_is_each_ones_own(ada: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    for each in (ada, bob):
        image_id = (await each.post("/v1/images", files={"image": png(seed=6)})).json()["id"]
    assert (await ada.delete(f"/v1/images/{image_id}")).status_code == 204
    assert (await bob.get(f"/v1/images/{image_id}")).content == png(seed=6)
    for query in ({}, {"width": 16}):
        problem_of(await ada.get(f"/v1/images/{image_id}", params=query), 404, "not_found")


async def test_no_method_reads_the_upload_of_another_owner(bob: httpx.AsyncClient, worker: FakeWorker, belongings: Belongings) -> None:
    await worker.publish(description("mobilenet_v2"))  # the example of `compare_models` names it
    theirs, tried = belongings.image_id, 0
    for name, params in METHODS.items():
        example = dict(params.card.example)
        body: dict[str, Any] = {"method": name, "params": example}
        if params.card.needs_model:
            body["model"] = "vgg16"
        if issubclass(params, ImagesParams):
            body["params"] = example | {"images": [theirs]}
            form = {"model": "vgg16", "images": theirs}
            answer = await bob.post(f"/v1/{name}", data=form)
            assert answer.status_code in (404, 422), answer.text
        elif params.card.needs_image:
            body["image"] = {"id": theirs}
        else:
            continue
        answer = await bob.post("/v1/jobs", json=body)
        assert answer.status_code in (404, 422), answer.text
        tried += answer.status_code == 404
    assert tried > 10, "most examples suit this model, so that only the image is wrong"
    assert await worker.nothing_queued()
    assert await worker.nothing_queued("slow")


async def test_no_set_names_the_upload_of_another_owner_and_no_method_reads_the_set_of_one(
    bob: httpx.AsyncClient, worker: FakeWorker, belongings: Belongings
) -> None:
    problem_of(await bob.post("/v1/sets", json={"name": "theirs", "images": [belongings.image_id]}), 404, "not_found")
    assert (await bob.get("/v1/sets")).json()["items"] == []
    body = {"method": "predict_batch", "model": "vgg16", "params": {"images": [belongings.set_id]}}
    assert problem_of(await bob.post("/v1/jobs", json=body), 404, "not_found").pointer == "/params/images/0"


async def test_no_target_reads_the_upload_of_another_owner(bob: httpx.AsyncClient, worker: FakeWorker, belongings: Belongings) -> None:
    target = {"similarity": {"image": belongings.image_id}}
    answer = await bob.post("/v1/jobs", json=cam(params={"target": target}))
    assert (answer.status_code, answer.json()["pointer"]) == (404, "/params/target")


async def test_no_item_of_a_batch_reads_the_upload_of_another_owner(
    app: FastAPI, bob: httpx.AsyncClient, worker: FakeWorker, belongings: Belongings
) -> None:
    items = [
        cam(image={"id": belongings.image_id}),
        {"method": "predict_batch", "model": "vgg16", "params": {"images": [belongings.image_id]}},
    ]
    batch_id = (await bob.post("/v1/batches", json={"items": items})).json()["id"]
    feeder = BatchFeeder(services_of(app))
    feeder.start()
    assert (await bob.get(f"/v1/batches/{batch_id}", params={"wait": 20})).json()["state"] == "failed"
    await feeder.close()
    rows = (await bob.get(f"/v1/batches/{batch_id}/results")).text.splitlines()
    assert [json.loads(row)["error"]["code"] for row in rows] == ["not_found", "not_found"]


async def test_who_joins_anothers_work_sees_nothing_of_the_other_and_cannot_end_it(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient, worker: FakeWorker
) -> None:
    first = (await ada.post("/v1/jobs", json=cam(), headers={"X-Request-ID": "adas-request"})).json()["id"]
    second = (await bob.post("/v1/jobs", json=cam())).json()["id"]
    execution = await worker.claim()
    assert await worker.nothing_queued(), "the two jobs share one execution"
    for verb, path in (("POST", "/cancel"), ("DELETE", "")):
        assert (await bob.request(verb, f"/v1/jobs/{second}{path}")).status_code in (202, 204)
        assert (await ada.get(f"/v1/jobs/{first}")).json()["state"] == "running"
    third = await bob.post("/v1/jobs", json=cam())
    await worker.complete(execution)
    assert (await ada.delete(f"/v1/jobs/{first}")).status_code == 204
    shown = await bob.get(f"/v1/jobs/{third.json()['id']}")
    assert shown.json()["state"] == "succeeded"
    assert not any(secret in shown.text for secret in (first, "adas-request", "ada"))
    assert (await bob.get(f"/v1/jobs/{third.json()['id']}/artifacts/overlay")).status_code == 200


async def test_who_gets_a_cached_result_sees_nothing_of_the_other(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient, worker: FakeWorker
) -> None:
    files = {"image": ("adas-holiday.png", PHOTO)}
    headers = {"X-Request-ID": "adas-request", "Prefer": "respond-async", "Idempotency-Key": "the-same"}
    first = (await ada.post("/v1/grad_cam", data={"model": "vgg16"}, files=files, headers=headers)).json()["id"]
    await worker.work()
    answer = await bob.post(
        "/v1/grad_cam", data={"model": "vgg16"}, files={"image": ("b.png", PHOTO)}, headers={"Accept": "application/zip"}
    )
    assert answer.status_code == 200
    own = (await bob.get("/v1/jobs")).json()["items"][0]
    assert own["cached"]
    for secret in (first, "adas", "holiday"):
        assert secret not in str(own)
        assert secret.encode() not in answer.content
    keyed = await bob.post("/v1/jobs", json=cam(), headers={"Idempotency-Key": "the-same"})
    assert keyed.json()["id"] not in (first, own["id"]), "an idempotency key is its owner's"


def operations(app: FastAPI) -> list[tuple[str, str, str]]:
    """Return the path, verb and id of every operation in the document."""
    return [
        (path, verb.upper(), operation["operationId"])
        for path, verbs in app.openapi()["paths"].items()
        for verb, operation in verbs.items()
    ]
