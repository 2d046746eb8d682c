"""The OpenAPI document says what a typed client must know: the state of a job, its artifacts' names, what may be left out, the events."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from schemas.methods import METHODS
from service.security_headers import SECURITY_HEADERS
from tests.service.fake_worker import FakeWorker
from tests.service.test_errors import problem_of
from tests.service.test_openapi import answer_of, document, operations, references
from tests.service.test_submit import PHOTO, cam

__all__ = ["document"]  # the fixture


def validator(document: dict[str, Any], name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


async def test_a_job_has_facts_exactly_when_it_has_succeeded(
    document: dict[str, Any], client: httpx.AsyncClient, worker: FakeWorker
) -> None:
    jobs = validator(document, "GradCamJob")
    job_id = (await client.post("/v1/jobs", json=cam())).json()["id"]
    queued = (await client.get(f"/v1/jobs/{job_id}")).json()
    canceled = (await client.post(f"/v1/jobs/{job_id}/cancel")).json()
    failed = (await client.post("/v1/jobs", json=cam(params={"class_index": 1}))).json()
    await worker.fail(await worker.claim(), "no_gradient", "No gradient reaches the layer.")
    failed = (await client.get(f"/v1/jobs/{failed['id']}")).json()
    assert [queued["state"], canceled["state"], failed["state"]] == ["queued", "canceled", "failed"]
    for job in (queued, canceled, failed):
        jobs.validate(job)
        assert not jobs.is_valid(job | {"state": "succeeded"}), job["state"]
    assert not jobs.is_valid(failed | {"error": None})


def test_artifacts_have_the_names_of_their_method(document: dict[str, Any]) -> None:
    artifact = {"kind": "array", "shape": [7, 7], "dtype": "float32", "media_type": None, "sha256": None, "size": None, "on_photo": None}
    names = validator(document, "GradCamArtifact")
    for name, is_right in {"map": True, "map.block5.conv3": True, "map.": False, "mapx": False, "chart": False}.items():
        assert names.is_valid(artifact | {"name": name, "primary": False, "url": "/"}) is is_right, name
    assert not names.is_valid(artifact | {"name": "map", "kind": "document", "primary": False, "url": "/"})


@pytest.mark.parametrize("method", METHODS)
def test_what_has_a_default_may_be_left_out_of_requests_and_is_in_every_answer(document: dict[str, Any], method: str) -> None:
    schemas = document["components"]["schemas"]
    mapping = schemas["JobRequest"]["discriminator"]["mapping"]
    asked = schemas[mapping[method].rsplit("/", 1)[1]]["properties"]["params"]["$ref"].rsplit("/", 1)[1]
    own = schemas[schemas["Job"]["discriminator"]["mapping"][method].rsplit("/", 1)[1]]["allOf"][1]["properties"]
    answered = own["params"]["$ref"].rsplit("/", 1)[1]
    fields = METHODS[method].model_fields
    assert set(schemas[asked].get("required", [])) == {name for name, field in fields.items() if field.is_required()}
    assert set(schemas[answered]["required"]) == set(schemas[asked]["properties"]) == set(fields)


def test_no_schema_has_a_default_that_a_generator_could_take_for_required(document: dict[str, Any]) -> None:
    assert '"default":' not in json.dumps([*_fields(document["components"]["schemas"])])
    described = document["components"]["schemas"]["GradCam"]["properties"]["alpha"]["description"]
    assert described.endswith("The default is `0.6`.")


def _fields(node: object) -> list[object]:
    if isinstance(node, dict):
        own = list(node["properties"].values()) if isinstance(node.get("properties"), dict) else []
        return [each for each in own if "default" in each] + [found for value in node.values() for found in _fields(value)]
    return [found for each in node for found in _fields(each)] if isinstance(node, list) else []


def test_the_events_of_streams_are_told_apart_by_their_own_field(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, kinds in {"JobEvent": {"status", "progress", "preview", "done"}, "BatchEvent": {"counts", "item", "done"}}.items():
        assert schemas[name]["discriminator"]["propertyName"] == "event"
        assert set(schemas[name]["discriminator"]["mapping"]) == kinds
        for kind, reference in schemas[name]["discriminator"]["mapping"].items():
            variant = schemas[reference.rsplit("/", 1)[1]]
            assert variant["properties"]["event"]["const"] == kind
            assert "event" in variant["required"]
            assert name == "BatchEvent" or "job_id" in variant["required"]
    streams = [
        answer["content"]["text/event-stream"]["schema"]
        for path in document["paths"].values()
        for operation in path.values()
        for answer in operation["responses"].values()
        if "text/event-stream" in answer.get("content", {})
    ]
    assert len(streams) == 3
    assert {reference.rsplit("/", 1)[1] for reference in references(streams)} == {"JobEvent", "BatchEvent"}


async def test_the_events_of_a_stream_are_as_documented(document: dict[str, Any], client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = (await client.post("/v1/jobs", json=cam())).json()["id"]
    execution = await worker.claim()
    await worker.progress(execution, 1, 2, 0.5)
    await worker.complete(execution)
    events = validator(document, "JobEvent")
    for address in (f"/v1/jobs/{job_id}/events", f"/v1/events?jobs={job_id}"):
        lines = (await client.get(address)).text.splitlines()
        told = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
        assert [event["event"] for event in told] == ["status", "status", "progress", "progress", "done"]
        for event in told:
            assert event["job_id"] == job_id
            events.validate(event)


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    bodies = [
        (operation["operationId"], media_type, content)
        for _, _, operation in operations(document)
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items()
    ]
    assert len(bodies) > 2 * len(METHODS)
    assert [(name, media_type) for name, media_type, content in bodies if not {"example", "examples"} & set(content)] == []


async def test_the_headers_of_answers_are_documented(document: dict[str, Any], client: httpx.AsyncClient, worker: FakeWorker) -> None:
    form = {"data": {"model": "vgg16"}, "files": {"image": PHOTO}}
    waiting = asyncio.create_task(client.post("/v1/grad_cam", **form))
    await worker.work()
    picture = await waiting
    job = picture.headers["location"]
    answers = {
        ("/v1/grad_cam", "post"): picture,
        ("/v1/grad_cam.json", "post"): await client.post("/v1/grad_cam.json", **form),
        ("/v1/jobs", "post"): await client.post("/v1/jobs", json=cam(params={"class_index": 3}), headers={"Prefer": "wait=0"}),
        ("/v1/jobs/{job_id}", "get"): await client.get("/v1/jobs/nothing"),
        ("/v1/jobs/{job_id}/artifacts/{name}", "get"): await client.get(f"{job}/artifacts/overlay"),
        ("/v1/batches", "post"): await client.post("/v1/batches", json={"items": [cam()]}),
    }
    general = {"content-type", "content-length", *(name.lower() for name in SECURITY_HEADERS)}
    for (path, verb), answer in answers.items():
        described = answer_of(document, document["paths"][path][verb], str(answer.status_code))["headers"]
        assert set(answer.headers) - general <= {name.lower() for name in described}, path
        assert "x-request-id" in answer.headers
    assert "etag" in answers["/v1/jobs/{job_id}/artifacts/{name}", "get"].headers


async def test_the_job_with_its_arrays_has_an_address_of_its_own(
    document: dict[str, Any], client: httpx.AsyncClient, worker: FakeWorker
) -> None:
    form = {"data": {"model": "vgg16"}, "files": {"image": PHOTO}}
    waiting = asyncio.create_task(client.post("/v1/grad_cam.json", **form))
    await worker.work()
    answer = await waiting
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    job = answer.json()
    validator(document, "GradCamJob").validate(job)
    assert {each["name"]: each["data"]["shape"] for each in job["artifacts"] if each["kind"] == "array"} == {"map": [5, 7]}
    refused = await client.post("/v1/grad_cam.json", **form, headers={"Accept": "image/png"})
    assert problem_of(refused, 406, "not_acceptable").allowed == "application/json"
    wrong = await client.get("/v1/grad_cam.json")
    assert "curl -F image=@photo.jpg" in problem_of(wrong, 405, "method_not_allowed").detail
