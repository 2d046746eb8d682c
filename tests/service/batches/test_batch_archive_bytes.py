"""The zip file of a batch that has ended has the same bytes whenever it is downloaded."""

from __future__ import annotations

import io
import json
import zipfile

import httpx
import pytest

from service.batches.feeder import BatchFeeder
from tests.service.batches.test_batches import body, ended, rows_of
from tests.service.fake_worker import FakeWorker
from tests.service.test_drawn_pictures import artifacts, deferred


@pytest.mark.parametrize("names", ["", "map"])
async def test_it_is_the_same_before_and_after_its_pictures_are_kept(
    client: httpx.AsyncClient, worker: FakeWorker, feeder: BatchFeeder, names: str
) -> None:
    batch = (await client.post("/v1/batches", json=body(2))).json()
    for _ in range(2):
        await worker.complete(await worker.claim(), artifacts(deferred("heatmap")))
    await ended(client, batch["id"])
    address = f"/v1/batches/{batch['id']}/artifacts.zip"
    first = (await client.get(address, params={"names": names})).content
    for row in await rows_of(client, batch["id"]):
        assert (await client.get(f"/v1/jobs/{row['job_id']}/artifacts/heatmap")).status_code == 200
    assert (await client.get(address, params={"names": names})).content == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        rows = [json.loads(line) for line in archive.read("results.jsonl").splitlines()]
    digests = [{each["name"]: each["sha256"] for each in row["artifacts"]} for row in rows]
    assert [(each["heatmap"] is None, each["map"] is None) for each in digests] == [(bool(names), False)] * 2
