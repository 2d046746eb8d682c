"""The OpenAPI document is valid, names the type of every field, and agrees with the answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from schemas.method_types import class_title
from schemas.methods import METHODS
from schemas.methods.several_images import ImagesParams
from tests.service.fake_worker import FakeWorker
from tests.service.test_submit import PHOTO, cam

_DOCUMENTS: list[dict[str, Any]] = []


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    """Return the document, which is built for the first test only. That takes more than a second, and no test changes it."""
    if not _DOCUMENTS:
        _DOCUMENTS.append(app.openapi())
    return _DOCUMENTS[0]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield path, verb, operation


def answer_of(document: dict[str, Any], operation: dict[str, Any], status: str) -> dict[str, Any]:
    """Return an answer of an operation. Problems are described once for all operations."""
    answer = operation["responses"][status]
    return document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]] if "$ref" in answer else answer


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    schemas = document["components"]["schemas"]
    there = {f"#/components/{kind}/{name}" for kind, each in document["components"].items() for name in each}
    assert set(references(document)) <= there
    assert not any(name.startswith(("HTTPValidation", "Validation", "Body_")) or "-" in name for name in schemas)


def test_operations_have_names_that_make_good_functions(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    assert {
        "submit_job",
        "get_job",
        "cancel_job",
        "job_events",
        "get_artifact",
        "upload_image",
        *(f"run_{name}" for name in METHODS),
    } <= set(names)
    assert all(operation["tags"] and operation["summary"] for _, _, operation in operations(document))


def test_every_problem_is_a_problem(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        for status in operation["responses"]:
            if status >= "400" and path != "/readyz":
                content = answer_of(document, operation, status)["content"]
                assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_no_field_is_a_bare_object(document: dict[str, Any]) -> None:
    bare = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, value in schema.get("properties", {}).items()
        if value.get("type") == "object" and not value.get("properties")
    ]
    # The keys of these are not known before: a JSON schema, fingerprints by model, versions by package, files by input, counts by lane.
    provenance = [f"Provenance.{name}" for name in ("further_models", "versions", "inputs")]
    assert bare == ["LrpFacts.rules", "MethodDescription.parameters", *provenance, "Readiness.queue_depth"]


@pytest.mark.parametrize("name", ["JobRequest", "Job"])
def test_methods_are_told_apart_by_name(document: dict[str, Any], name: str) -> None:
    union = document["components"]["schemas"][name]
    assert union["discriminator"]["propertyName"] == "method"
    assert set(union["discriminator"]["mapping"]) == set(METHODS)
    for method, reference in union["discriminator"]["mapping"].items():
        variant = document["components"]["schemas"][reference.rsplit("/", 1)[1]]
        properties = variant["properties"] if name == "JobRequest" else variant["allOf"][1]["properties"]
        assert properties["method"]["const"] == method
        assert properties["params"]["$ref"].rsplit("/", 1)[1] in document["components"]["schemas"]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_an_example_and_a_form(document: dict[str, Any], method: str) -> None:
    body = document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]
    rooted = {**body["schema"], "components": document["components"]}
    Draft202012Validator(rooted).validate(body["examples"][method]["value"])
    operation = document["paths"][f"/v1/{method}"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]["$ref"].rsplit("/", 1)[1]
    fields = document["components"]["schemas"][form]["properties"]
    assert set(METHODS[method].model_fields) | {"model", "priority"} <= set(fields)
    if METHODS[method].card.needs_image:
        assert fields["image"]["format"] == "binary"
    if issubclass(METHODS[method], ImagesParams):
        assert (fields["images"]["type"], fields["images"]["items"]["format"]) == ("array", "binary")
        assert "-F images=@a.jpg -F images=@b.jpg" in operation["description"]
    content = operation["responses"]["200"]["content"]
    made = {spec.media_type for spec in METHODS[method].card.artifacts if spec.media_type}
    arrays = {"application/x-npz"} if any(spec.kind == "array" for spec in METHODS[method].card.artifacts) else set()
    gif = {"image/gif"} if any(spec.kind == "animation" for spec in METHODS[method].card.artifacts) else set()
    files = {"image/png", "image/webp", "image/jpeg", "application/zip"} | made | arrays | gif
    assert set(content) == files - {"application/json"}
    assert all(each["schema"] == {"type": "string", "format": "binary"} for each in content.values())
    as_json = document["paths"][f"/v1/{method}.json"]["post"]["responses"]["200"]["content"]
    assert set(as_json) == {"application/json"}
    assert as_json["application/json"]["schema"]["allOf"][0]["$ref"].endswith(f"/{class_title(method)}Job")


async def test_answers_are_as_documented(document: dict[str, Any], client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.live("vgg16")
    job_id = (await client.post("/v1/jobs", json=cam())).json()["id"]
    await worker.work()
    for path, known in {
        "/v1/jobs": {},
        "/v1/jobs/{job_id}": {"job_id": job_id},
        "/v1/methods": {},
        "/v1/methods/{name}": {"name": "filters"},
        "/v1/models": {},
        "/v1/models/{model}": {"model": "vgg16"},
        "/v1/models/{model}/layers": {"model": "vgg16"},
        "/v1/models/{model}/labels": {"model": "vgg16"},
        "/livez": {},
        "/readyz": {},
        "/": {},
    }.items():
        answer = await client.get(path.format(**known))
        validate(document, document["paths"][path]["get"], answer)
    validate(document, document["paths"]["/v1/images"]["post"], await client.post("/v1/images", files={"image": PHOTO}))
    validate(document, document["paths"]["/v1/jobs"]["post"], await client.post("/v1/jobs", json=cam()))
    validate(document, document["paths"]["/v1/jobs"]["post"], await client.post("/v1/jobs", json=cam(params={"alpha": 3})))
    validate(document, document["paths"]["/v1/jobs/{job_id}"]["get"], await client.get("/v1/jobs/nothing"))


def validate(document: dict[str, Any], operation: dict[str, Any], answer: httpx.Response) -> None:
    content = answer_of(document, operation, str(answer.status_code))["content"]
    schema = content[answer.headers["content-type"]]["schema"]
    Draft202012Validator({**schema, "components": document["components"]}).validate(answer.json())


async def test_docs_are_served(client: httpx.AsyncClient) -> None:
    assert (await client.get("/openapi.json")).json()["openapi"].startswith("3.1")
    assert "/openapi.json" in (await client.get("/docs")).text


async def test_the_page_of_docs_asks_no_other_host(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert "//" not in page.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert loaded == ["/docs/swagger-ui.css", "data:,", "/docs/swagger-ui-bundle.js"]
    for address, media_type in ((loaded[0], "text/css"), (loaded[2], "text/javascript")):
        answer = await client.get(address)
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, media_type)
        assert "swagger-ui" in answer.text
