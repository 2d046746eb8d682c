"""The routes under `/v1/methods` and `/v1/models`."""

from __future__ import annotations

import asyncio
import base64
import os
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from catalog.errors import CatalogError
from jobstore.connection import Connection
from schemas.discovery import MethodDescription
from schemas.methods import METHODS
from schemas.models import ClassLabel, Layer, ModelDescription, ModelSummary, UnloadableModel
from service.app import create_app
from service.settings import ServiceSettings
from tests.schemas.tiny import LABELS, description
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, catalog_of, png
from tests.service.test_errors import problem_of


async def test_every_method_is_described(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/methods")
    methods = TypeAdapter(list[MethodDescription]).validate_json(answer.content)
    assert [method.name for method in methods] == list(METHODS)
    for method, raw in zip(methods, answer.json(), strict=True):
        card = METHODS[method.name].card
        assert (method.title, method.needs_image, method.lane) == (card.title, card.needs_image, card.lane)
        assert method.reference
        assert sum(artifact.primary for artifact in method.artifacts) == 1
        Draft202012Validator.check_schema(raw["parameters"])
        Draft202012Validator(raw["parameters"]).validate(raw["example"]["params"])
        example = raw["example"]["params"]
        assert example.keys() == card.example.keys()
        assert METHODS[method.name].model_validate(example) == METHODS[method.name].model_validate(card.example)
        assert ("image" in raw["example"]) == card.needs_image
        assert method.needs_model == card.needs_model
        assert (await client.get(f"/v1/methods/{method.name}")).json() == raw
    by_name = {raw["name"]: raw for raw in answer.json()}
    alpha = by_name["grad_cam"]["parameters"]["properties"]["alpha"]
    assert (alpha["default"], alpha["minimum"], alpha["maximum"]) == (0.6, 0, 1)


async def test_an_unknown_method_is_not_found(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.get("/v1/methods/gradcam"), 404, "unknown_method")
    assert problem.nearest is not None
    assert problem.nearest[0] == "grad_cam"


async def test_models_are_listed_with_what_is_known(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.live("vgg16")
    await FakeWorker(worker._store, worker._catalog, "second").live("vgg16", "resnet50")
    models = {model.name: model for model in TypeAdapter(list[ModelSummary]).validate_json((await client.get("/v1/models")).content)}
    assert len(models) > 40
    known, unknown = models["vgg16"], models["resnet50"]
    assert known.input is not None
    assert (known.input.height, known.input.width, known.input.channels, known.classes, known.loaded) == (20, 30, 3, 5, 2)
    assert (unknown.input, unknown.classes, unknown.loaded) == (None, None, 1)
    assert unknown.preprocessing is not None
    assert unknown.preprocessing.mode == "caffe"
    assert models["vgg19"].loaded == 0
    assert (models["efficientnet_lite0"].source, models["vgg16"].source) == ("builtin", "keras_applications")


async def test_a_model_with_its_layers(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.live("vgg16")
    model = ModelDescription.model_validate_json((await client.get("/v1/models/vgg16")).content)
    assert model == description(loaded=1, title="VGG16")
    assert [layer.inbound for layer in model.layers][:3] == [(), ("input",), ("block5_conv1",)]


async def test_a_model_is_described_when_it_is_first_asked_for(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    async def answer() -> None:
        while True:  # a request that comes while the description is being published asks once more
            await worker.describe(description("resnet50"))

    await worker.live()
    answering = asyncio.create_task(answer())
    answers = await asyncio.gather(*(client.get("/v1/models/resnet50") for _ in range(3)))
    answering.cancel()
    assert [answer.json()["name"] for answer in answers] == ["resnet50"] * 3


async def test_layers_by_kind(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    layers = TypeAdapter(list[Layer])
    every = layers.validate_json((await client.get("/v1/models/vgg16/layers")).content)
    assert tuple(every) == description().layers
    convolutions = layers.validate_json((await client.get("/v1/models/vgg16/layers", params={"kind": "conv"})).content)
    assert [layer.path for layer in convolutions] == ["block5_conv1", "block5_conv3", "base/conv"]
    assert (await client.get("/v1/models/vgg16/layers?kind=attention")).json() == []
    problem = problem_of(await client.get("/v1/models/vgg16/layers?kind=convs"), 422, "invalid_parameters")
    assert (problem.pointer, problem.got) == ("/kind", "convs")
    assert "conv" in (problem.allowed or "")


@pytest.mark.parametrize(
    ("query", "found"), [("", [0, 1, 2, 3, 4]), ("CAT", [1, 2, 3]), ("egypt", [2]), ("brindled cat", [3]), ("dog", []), ("  tinca ", [0])]
)
async def test_labels_are_searched(client: httpx.AsyncClient, worker: FakeWorker, query: str, found: list[int]) -> None:
    answer = await client.get("/v1/models/vgg16/labels", params={"q": query})
    labels = TypeAdapter(list[ClassLabel]).validate_json(answer.content)
    assert labels == [ClassLabel(class_index=index, label=LABELS[index]) for index in found]


async def test_a_model_without_labels_has_indices(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.publish(description("vgg19", classes=2), ())
    assert (await client.get("/v1/models/vgg19/labels")).json() == [{"class_index": 0, "label": None}, {"class_index": 1, "label": None}]
    assert (await client.get("/v1/models/vgg19/labels?q=cat")).json() == []


@pytest.mark.parametrize("path", ["", "/layers", "/labels"])
async def test_an_unknown_model_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    problem = problem_of(await client.get(f"/v1/models/vgg61{path}"), 404, "unknown_model")
    assert "vgg16" in (problem.nearest or ())
    problem_of(await client.get(f"/v1/models/..%2f..%2fetc{path}"), 404, "not_found")


async def test_a_new_file_shows_without_a_restart(client: httpx.AsyncClient, settings: ServiceSettings) -> None:
    async def names() -> set[str]:
        return {model["name"] for model in (await client.get("/v1/models")).json()}

    assert "mine" not in await names()
    settings.models_dir.mkdir(parents=True)
    model = settings.models_dir / "mine.keras"
    model.write_bytes(b"not looked into by the service")
    assert "mine" in await names()
    (settings.models_dir / "mine.toml").write_text('title = "My own"\npreprocessing = "tf"')
    summary = next(each for each in (await client.get("/v1/models")).json() if each["name"] == "mine")
    assert (summary["title"], summary["source"], summary["preprocessing"]["mode"]) == ("My own", "file", "tf")
    model.unlink()
    assert "mine" not in await names()
    settings.models_file.write_text('[thing]\narchitecture = "mobilenet_v2"\nweights = "random"\n')
    assert "thing" in await names()


async def test_a_file_rewritten_in_place_is_another_model(app: FastAPI, settings: ServiceSettings) -> None:
    models = app.state.services.models
    settings.models_dir.mkdir(parents=True)
    model = settings.models_dir / "mine.h5"
    model.write_bytes(b"1")
    first = (await models.entry("mine")).digest
    model.write_bytes(b"2")
    os.utime(model, ns=(1, 1))
    assert (await models.entry("mine")).digest != first


async def test_a_catalogue_that_breaks_keeps_its_last_good_state(client: httpx.AsyncClient, settings: ServiceSettings) -> None:
    settings.models_file.write_text('[mine]\narchitecture = "vgg16"\n')
    assert "mine" in {model["name"] for model in (await client.get("/v1/models")).json()}
    settings.models_file.write_text("[mine\n")
    assert "mine" in {model["name"] for model in (await client.get("/v1/models")).json()}


async def test_an_unusable_model_is_listed_with_its_reason_and_spoils_no_other(
    client: httpx.AsyncClient, worker: FakeWorker, settings: ServiceSettings
) -> None:
    settings.models_dir.mkdir(parents=True)
    for name in ("good.keras", "Digits-V2.keras", "cats.keras", "cats.h5", "torn.keras"):
        (settings.models_dir / name).write_bytes(b"x")
    digest = catalog_of(settings.models_file, settings.models_dir)["torn"].digest
    await worker._store.models.publish_failure(UnloadableModel(name="torn", digest=digest, reason="'torn.keras' is damaged."))
    models = {model.name: model for model in TypeAdapter(list[ModelSummary]).validate_json((await client.get("/v1/models")).content)}
    unusable = {name: model.reason or "" for name, model in models.items() if model.state == "unusable"}
    assert set(unusable) == {"Digits-V2", "cats", "torn"}
    assert "cannot be a model's name" in unusable["Digits-V2"]
    assert "The files cats.h5 and cats.keras are all called 'cats'" in unusable["cats"]
    assert unusable["torn"] == "'torn.keras' is damaged."
    assert (models["good"].state, models["good"].reason, models["vgg16"].classes) == ("usable", None, 5)
    for name in ("Digits-V2", "cats"):
        problem = problem_of(await client.get(f"/v1/models/{name}"), 422, "model_load_failed")
        assert unusable[name] in problem.detail
        assert not problem.retryable
    assert problem_of(await client.get("/v1/models/torn"), 422, "model_load_failed").detail == "'torn.keras' is damaged."
    answer = await client.post(
        "/v1/jobs", json={"method": "predict", "model": "torn", "image": {"base64": base64.b64encode(png()).decode()}}
    )
    assert not problem_of(answer, 422, "model_load_failed").retryable, "no worker is asked again"
    answer = await client.post(
        "/v1/jobs", json={"method": "predict", "model": "cats", "image": {"base64": base64.b64encode(png()).decode()}}
    )
    assert problem_of(answer, 422, "model_load_failed").pointer == "/model"
    assert "retry-after" not in answer.headers


async def test_all_models_are_read_with_one_call_to_redis(app: FastAPI, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    await worker.publish(description("resnet50"))
    await worker.live("vgg16")
    words: list[str] = []
    command = Connection.command

    async def counted(connection: Connection, *arguments: str | int | float | bytes) -> object:
        words.append(str(arguments[0]) + " " + str(arguments[1]))
        return await command(connection, *arguments)

    monkeypatch.setattr(Connection, "command", counted)
    async with client_of(app) as client:
        models = {model["name"]: model for model in (await client.get("/v1/models")).json()}
    assert (models["vgg16"]["classes"], models["resnet50"]["classes"], models["vgg19"]["classes"]) == (5, 5, None)
    assert sum("{models}" in each for each in words) == 1
    assert len(words) == 3  # and two calls for the workers that are alive


def test_a_catalogue_that_is_broken_stops_the_start(settings: ServiceSettings, store: object) -> None:
    Path(settings.models_file).write_text("[mine\n")
    with pytest.raises(CatalogError, match=r"models\.toml"):
        create_app(settings, store)  # pyright: ignore[reportArgumentType]
