"""Each item of a batch has a trace of its own, because the items are submitted long after the request for the batch."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from jobstore.store import JobStore
from service.app import create_app
from service.batches.feeder import BatchFeeder
from service.settings import ServiceSettings
from tests.service.batches.test_batches import body, ended
from tests.service.fake_worker import FakeWorker
from tests.traced import TRACE, TRACEPARENT, TracesInMemory, traces_in_memory


@pytest.fixture
def traces() -> Iterator[TracesInMemory]:
    with traces_in_memory() as traces:
        yield traces


@pytest.fixture
def app(settings: ServiceSettings, store: JobStore, traces: TracesInMemory) -> FastAPI:
    return create_app(settings, store, traces=traces)


async def test_each_item_has_a_trace_of_its_own(
    client: httpx.AsyncClient, working: FakeWorker, feeder: BatchFeeder, traces: TracesInMemory
) -> None:
    answer = await client.post("/v1/batches", json=body(3), headers={"traceparent": TRACEPARENT})
    assert (await ended(client, answer.json()["id"]))["state"] == "succeeded"
    assert traces.parents() == {"POST /v1/batches": None, "door checks": "POST /v1/batches"}
    items = [span for span in traces.spans if span.name == "submit"]
    assert all(span.parent is None for span in items)
    assert len({span.context.trace_id for span in items} - {TRACE}) == 3
