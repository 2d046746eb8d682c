"""`/v1/batches` with a worker that answers at once: items become jobs, wrong ones fail alone, and everything can be read back."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from redis.exceptions import ResponseError

from jobstore.batches.records import BatchRecord
from jobstore.store import JobStore
from service.app import create_app
from service.batches import feeder as feeder_module
from service.batches.feeder import BatchFeeder
from service.dependencies import services_of
from service.settings import ServiceSettings
from tests.jobstore import stored_files
from tests.service.conftest import client_of
from tests.service.fake_worker import CAM_FACTS, OVERLAY, FakeWorker, encoded, png

DEFAULTS = {"method": "grad_cam", "model": "vgg16", "params": {"alpha": 0.25, "colormap": "gray"}}


def photo(seed: int) -> dict[str, str]:
    return {"base64": base64.b64encode(png(seed=seed)).decode()}


def body(count: int, **defaults: Any) -> dict[str, Any]:
    return {"defaults": DEFAULTS | defaults, "items": [{"custom_id": f"photo {n}", "image": photo(n)} for n in range(count)]}


async def ended(client: httpx.AsyncClient, batch_id: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/batches/{batch_id}", params={"wait": 20})
    assert answer.json()["state"] != "running", answer.text
    return dict(answer.json())


async def rows_of(client: httpx.AsyncClient, batch_id: str, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/v1/batches/{batch_id}/results", params=params)
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_batch_runs_all_its_items(client: httpx.AsyncClient, working: FakeWorker, feeder: BatchFeeder) -> None:
    answer = await client.post("/v1/batches", json=body(3))
    assert answer.status_code == 202, answer.text
    batch = answer.json()
    assert answer.headers["location"] == f"/v1/batches/{batch['id']}"
    assert (batch["state"], batch["counts"]["total"], batch["finished_at"], batch["canceling"]) == ("running", 3, None, False)
    done = await ended(client, batch["id"])
    assert done["state"] == "succeeded"
    assert done["counts"] == {"total": 3, "queued": 0, "running": 0, "succeeded": 3, "failed": 0, "canceled": 0}
    rows = await rows_of(client, batch["id"])
    assert sorted(row["custom_id"] for row in rows) == ["photo 0", "photo 1", "photo 2"]
    assert {row["custom_id"]: row["index"] for row in rows} == {"photo 0": 0, "photo 1": 1, "photo 2": 2}
    assert [row["cursor"] for row in rows] == ["1", "2", "3"]
    for row in rows:
        assert (row["state"], row["facts"], row["error"]) == ("succeeded", CAM_FACTS, None)
        job = (await client.get(f"/v1/jobs/{row['job_id']}")).json()
        assert row["artifacts"] == [{name: value for name, value in each.items() if name != "data"} for each in job["artifacts"]]
        assert (job["params"]["alpha"], job["params"]["colormap"], job["priority"]) == (0.25, "gray", "low")
    assert [row["cursor"] for row in await rows_of(client, batch["id"], cursor="2")] == ["3"]


async def test_the_fit_of_the_defaults_holds_for_items_without_one(
    client: httpx.AsyncClient, working: FakeWorker, feeder: BatchFeeder
) -> None:
    items = [{"custom_id": "defaults"}, {"custom_id": "own", "fit": "letterbox"}, {"custom_id": "params", "params": {"fit": "stretch"}}]
    sent = {"defaults": DEFAULTS | {"fit": "crop"}, "items": [{**item, "image": photo(n)} for n, item in enumerate(items)]}
    answer = await client.post("/v1/batches", json=sent)
    assert answer.status_code == 202, answer.text
    assert (await ended(client, answer.json()["id"]))["state"] == "succeeded"
    fits: dict[str, str] = {}
    for row in await rows_of(client, answer.json()["id"]):
        fits[row["custom_id"]] = (await client.get(f"/v1/jobs/{row['job_id']}")).json()["params"]["fit"]
    assert fits == {"defaults": "crop", "own": "letterbox", "params": "stretch"}


async def test_json_lines_and_a_wrong_item_fails_alone(
    client: httpx.AsyncClient, working: FakeWorker, feeder: BatchFeeder, store: JobStore
) -> None:
    shared = await store.images.put("anonymous", png(seed=9), "PNG", 9, 5)
    lines: list[Any] = [
        {"defaults": DEFAULTS},
        {"custom_id": "good", "image": {"id": shared.id}, "params": {"alpha": 0.5}},
        {"custom_id": "good", "image": photo(1)},
        {"custom_id": "layer", "image": photo(2), "params": {"layer": "block5_conv4"}},
        {"custom_id": "text", "image": {"base64": base64.b64encode(b"no photo").decode()}},
        {"custom_id": "nobody's", "image": {"id": "img_" + "0" * 64}},
        [1, 2],
        {"custom_id": "misspelt", "image": photo(3), "parms": {}},
        {"custom_id": "method", "method": "predict", "image": photo(4), "params": {"top": 2}},
    ]
    content = "\n".join(map(json.dumps, lines)) + '\n{"custom_id": "broken", \n'
    answer = await client.post("/v1/batches", content=content, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 202, answer.text
    done = await ended(client, answer.json()["id"])
    assert (done["state"], done["counts"]["total"]) == ("partial", 9)
    assert (done["counts"]["succeeded"], done["counts"]["failed"]) == (2, 7)
    rows = {row["index"]: row for row in await rows_of(client, done["id"])}
    assert (rows[0]["state"], rows[7]["state"]) == ("succeeded", "succeeded")
    assert (await client.get(f"/v1/jobs/{rows[0]['job_id']}")).json()["params"]["alpha"] == 0.5
    assert (await client.get(f"/v1/jobs/{rows[7]['job_id']}")).json()["params"]["top"] == 2
    wrong = {index: (row["custom_id"], row["error"]["code"], row["error"].get("pointer")) for index, row in rows.items() if row["error"]}
    assert wrong == {
        1: (None, "invalid_parameters", "/custom_id"),
        2: ("layer", "unknown_layer", "/params/layer"),
        3: ("text", "unsupported_format", "/image/base64"),
        4: ("nobody's", "not_found", "/image/id"),
        5: (None, "malformed_body", None),
        6: ("misspelt", "invalid_parameters", "/parms"),
        8: (None, "malformed_body", None),
    }
    assert rows[2]["error"]["nearest"][0] == "block5_conv3"
    assert {row["index"] for row in await rows_of(client, done["id"], state="failed")} == set(wrong)


async def test_an_image_of_the_defaults_serves_all_items(
    client: httpx.AsyncClient, worker: FakeWorker, feeder: BatchFeeder, store: JobStore
) -> None:
    items = [{"params": {"class_index": number}} for number in range(3)]
    answer = await client.post("/v1/batches", json={"items": items, "defaults": DEFAULTS | {"image": photo(5)}})
    classes = set[int]()
    for _ in range(3):
        execution = await worker.claim()
        assert await store.images.file_of(execution) == png(seed=5)
        classes.add(json.loads(execution.params)["class_index"])
        await worker.complete(execution)
    assert classes == {0, 1, 2}
    assert (await ended(client, answer.json()["id"]))["state"] == "succeeded"


async def test_a_failed_job_says_why(client: httpx.AsyncClient, worker: FakeWorker, feeder: BatchFeeder) -> None:
    batch = (await client.post("/v1/batches", json=body(1))).json()
    await worker.fail(await worker.claim(), "no_gradient", "There is no path.")
    done = await ended(client, batch["id"])
    assert (done["state"], done["counts"]["failed"]) == ("failed", 1)
    (row,) = await rows_of(client, batch["id"])
    assert (row["error"]["code"], row["error"]["detail"], row["artifacts"]) == ("no_gradient", "There is no path.", [])


async def test_results_can_be_followed(client: httpx.AsyncClient, worker: FakeWorker, feeder: BatchFeeder, url: str) -> None:
    batch = (await client.post("/v1/batches", json=body(3))).json()
    seen: list[dict[str, Any]] = []
    async with (
        httpx.AsyncClient(base_url=url, timeout=20) as caller,
        caller.stream("GET", f"/v1/batches/{batch['id']}/results", params={"follow": True}) as answer,
    ):
        lines = answer.aiter_lines()
        for _ in range(3):
            await worker.work()
            seen.append(json.loads(await anext(lines)))
        assert [line async for line in lines] == []
    assert sorted(row["index"] for row in seen) == [0, 1, 2]


async def test_the_archive_has_a_folder_for_each_item(client: httpx.AsyncClient, working: FakeWorker, feeder: BatchFeeder) -> None:
    items = [{"custom_id": name, "image": photo(seed)} for seed, name in enumerate(["a/b.png", "A b.png", "../up"])]
    batch = (await client.post("/v1/batches", json={"defaults": DEFAULTS, "items": [*items, {"image": photo(7)}, {"image": {}}]})).json()
    await ended(client, batch["id"])
    answer = await client.get(f"/v1/batches/{batch['id']}/artifacts.zip", params={"names": "overlay, map"})
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        rows = [json.loads(line) for line in archive.read("results.jsonl").splitlines()]
        folders = {row["index"]: row["folder"] for row in rows}
        assert len(set(folders.values())) == 5
        assert {folders[0], folders[1]} < {"a_b.png", "A_b.png", "a_b.png_00000", "A_b.png_00001"}
        assert (folders[2], folders[3], folders[4]) == ("_up", "item_00003", "item_00004")
        names = {name for name in archive.namelist() if name != "results.jsonl"}
        assert names == {f"{folders[index]}/{name}" for index in range(4) for name in ("overlay.png", "map.npy")}
        assert archive.read(f"{folders[2]}/overlay.png") == encoded(OVERLAY)
    assert [row["missing"] for row in rows] == [[]] * 5


async def test_a_wrong_batch_is_refused_as_a_whole(worker: FakeWorker, settings: ServiceSettings, store: JobStore) -> None:
    refusals: list[tuple[Any, int, str, str | None]] = [
        ({"items": []}, 422, "invalid_parameters", "/items"),
        ({"items": 3}, 422, "invalid_parameters", "/items"),
        ({"defaults": {"metod": "x"}, "items": [{}]}, 422, "invalid_parameters", "/defaults/metod"),
        ({"defaults": {"image": {"base64": "?"}}, "items": [{}]}, 422, "invalid_image", "/defaults/image/base64"),
        ({"items": [{}], "webhok": 1}, 422, "invalid_parameters", "/webhok"),
        ({"items": [{"image": photo(1)}] * 6}, 422, "limit_exceeded", "/items"),
        ([1], 400, "malformed_body", None),
        ({"items": [{"params": {"text": "x" * 3000}}]}, 413, "body_too_large", None),
    ]
    async with client_of(create_app(settings.model_copy(update={"max_batch_items": 5, "max_batch_bytes": 2000}), store)) as client:
        for content, status, code, pointer in refusals:
            answer = await client.post("/v1/batches", json=content)
            assert (answer.status_code, answer.json()["code"], answer.json().get("pointer")) == (status, code, pointer), answer.text
        chunks = [b'{"items": [', *[b'{"custom_id": "x"},'] * 200]

        async def without_length() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

        answer = await client.post("/v1/batches", content=without_length(), headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (422, "limit_exceeded")
        chunks[1:] = [b"    " * 100] * 20
        answer = await client.post("/v1/batches", content=without_length(), headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["allowed"]) == (413, "at most 2000 bytes")
        answer = await client.post("/v1/batches", content=b"x", headers={"Content-Type": "text/csv"})
        assert (answer.status_code, answer.json()["allowed"]) == (415, "application/json, application/x-ndjson")
    await store.sweep()
    assert stored_files.files(settings.data_dir / "files") == []


async def test_batches_are_fed_after_an_error_that_nobody_expected(
    client: httpx.AsyncClient, working: FakeWorker, store: JobStore, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, failures = store.batch_feeding.claim, iter([ResponseError("BUSY"), KeyError("x")])

    async def claim_after_failures() -> list[BatchRecord]:
        for failure in failures:
            raise failure
        return await claim()

    monkeypatch.setattr(store.batch_feeding, "claim", claim_after_failures)
    monkeypatch.setattr(feeder_module, "_LOOK_EVERY", 0.05)
    feeder = BatchFeeder(services_of(app))
    feeder.start()
    batch = (await client.post("/v1/batches", json=body(2))).json()
    assert (await ended(client, batch["id"]))["state"] == "succeeded"
    await feeder.close()
