"""A job leaves one trace, from the request through the queue and the worker to the store. Service, worker and Redis are real."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.trace import SpanKind, StatusCode
from redis import Redis

from jobstore.records import Execution, Result
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.errors import OutOfMemory
from service.app import create_app
from service.settings import ServiceSettings
from tests.service.conftest import client_of
from tests.traced import CALLER, TRACE, TRACEPARENT, TracesInMemory, traces_in_memory
from tests.workers.execution.bench import PipelineBench
from tests.workers.tiny import photo
from workers.execution.attempt import Attempts
from workers.settings import WorkerSettings

FORM = {"model": "tiny"}
LATER = {"Prefer": "respond-async"}


@pytest.fixture
def traces() -> Iterator[TracesInMemory]:
    with traces_in_memory() as traces:
        yield traces


@pytest.fixture
async def client(
    bench: PipelineBench, store_settings: StoreSettings, tmp_path: Path, traces: TracesInMemory
) -> AsyncIterator[httpx.AsyncClient]:
    await bench.published()
    shared = store_settings.model_dump(exclude={"models_file", "models_dir"})
    settings = ServiceSettings(**shared, models_file=tmp_path / "none.toml", models_dir=bench.models_dir)
    async with client_of(create_app(settings, bench.store, traces=traces)) as client:
        yield client


async def submit(client: httpx.AsyncClient, method: str = "predict", seed: int = 0, **headers: str) -> None:
    answer = await client.post(f"/v1/{method}", data=FORM, files={"image": photo(seed)}, headers=LATER | headers)
    assert answer.status_code in (200, 202), answer.text


async def claimed(store: JobStore, lane: str = "fast") -> Execution:
    (execution,) = await store.queue.claim("w", lane, 1, 1.0)  # type: ignore[arg-type]
    return execution


async def work(bench: PipelineBench, settings: WorkerSettings, traces: TracesInMemory, lane: str = "fast") -> str:
    return await Attempts(bench.store, bench.pipeline, settings, traces).make(await claimed(bench.store, lane), lambda: None)


async def test_one_trace_goes_from_the_request_to_the_store(client, bench, settings, traces):
    await submit(client, traceparent=TRACEPARENT, **{"X-Request-ID": "req-9"})
    assert await work(bench, settings, traces) == "succeeded"
    assert traces.parents() == {
        "POST /v1/{method}": None,
        "door checks": "POST /v1/{method}",
        "submit": "POST /v1/{method}",
        "check": "submit",
        "send fast": "submit",
        "process fast": "send fast",
        "queue": "process fast",
        "get model": "process fast",
        "decode": "process fast",
        "wait for device": "process fast",
        "device": "process fast",
        "render": "process fast",
        "encode": "process fast",
        "store": "process fast",
    }
    request, send, process, batch = (traces.one(name) for name in ("POST /v1/{method}", "send fast", "process fast", "device batch"))
    assert request.parent.span_id == CALLER
    assert (request.kind, send.kind, process.kind) == (SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert request.attributes["http.route"] == "/v1/{method}"
    assert request.attributes["http.response.status_code"] == 202
    assert send.attributes["messaging.message.id"] == process.attributes["messaging.message.id"]
    assert process.attributes["convscope.outcome"] == "succeeded"
    assert process.attributes["convscope.request_id"] == traces.one("submit").attributes["convscope.request_id"] == "req-9"
    assert {process.attributes[f"convscope.{name}"] for name in ("method", "model")} == {"predict", "tiny"}
    assert batch.context.trace_id != TRACE
    assert [link.context.span_id for link in batch.links] == [process.context.span_id]
    assert [link.context for link in traces.one("device").links] == [batch.context]
    assert all(span.status.status_code is StatusCode.UNSET for span in traces.spans)
    queue = traces.one("queue")
    assert queue.start_time <= queue.end_time <= process.end_time


async def test_reading_and_a_trace_that_the_caller_does_not_sample_leave_no_span(client, bench, settings, traces):
    assert (await client.get("/v1/jobs", headers={"traceparent": TRACEPARENT})).status_code == 200
    await submit(client, traceparent=TRACEPARENT[:-1] + "0")
    assert await work(bench, settings, traces) == "succeeded"
    assert traces.spans == ()


async def test_submissions_of_the_same_work_are_linked_to_the_trace_that_has_it(client, bench, settings, traces):
    await submit(client, traceparent=TRACEPARENT)
    await submit(client)  # joins the queued job
    await work(bench, settings, traces)
    await submit(client)  # gets its result
    first, *others = (span for span in traces.spans if span.name == "send fast")
    assert traces.one("process fast").context.trace_id == first.context.trace_id == TRACE
    assert first.links == ()
    for other in others:
        assert other.context.trace_id != TRACE
        assert [link.context.span_id for link in other.links] == [first.context.span_id]
    assert [span.attributes["convscope.job.cached"] for span in (first, *others)] == [False, False, True]


async def test_a_second_attempt_is_in_the_same_trace_and_a_failure_names_its_error(client, bench, settings, traces, monkeypatch):
    async def fail(*_: object) -> Result:
        raise OutOfMemory("The device has too little memory.")

    monkeypatch.setattr(bench.pipeline, "run", fail)
    await submit(client, traceparent=TRACEPARENT)
    assert await bench.store.queue.release(await claimed(bench.store))
    assert await work(bench, settings, traces) == "failed"
    process, parents = traces.one("process fast"), traces.parents()
    assert (process.attributes["error.type"], process.status.status_code) == ("out_of_memory", StatusCode.ERROR)
    assert (parents["process fast"], parents["store"]) == ("send fast", "process fast")
    assert "queue" not in parents  # the time since the submission holds that of the first attempt


async def test_a_caller_who_is_turned_away_gets_no_further_than_the_door(bench, store_settings, tmp_path, traces):
    settings = ServiceSettings(**store_settings.model_dump(exclude={"models_file"}), models_file=tmp_path / "none.toml", auth="required")
    async with client_of(create_app(settings, bench.store, traces=traces)) as client:
        answer = await client.post("/v1/predict", data=FORM, headers={"traceparent": TRACEPARENT})
    assert answer.status_code == 401
    assert traces.parents() == {"POST /v1/{method}": None, "door checks": "POST /v1/{method}"}
    assert traces.one("door checks").attributes["error.type"] == "unauthenticated"


async def test_a_slow_job_has_one_span_for_all_its_slices(make_scheduler, traces):
    def slices():
        yield 1
        yield 2
        return 3

    with traces.span("process slow"):
        running = make_scheduler().slow("k", slices(), lambda _: None)
    assert (await asyncio.wrap_future(running)).value == 3
    device = traces.one("device")
    assert device.parent.span_id == traces.one("process slow").context.span_id
    assert device.attributes["convscope.device.slices"] == 3


async def test_a_batch_is_linked_to_the_trace_of_each_of_its_jobs(make_scheduler, traces):
    busy, scheduler = threading.Event(), make_scheduler()
    first = scheduler.fast("busy", 0, lambda items: [busy.wait(10)] * len(items))
    jobs = []
    for number in range(3):
        with traces.span(f"job {number}", parent=""):
            jobs.append(scheduler.fast("k", number, lambda items: [item * 2 for item in items]))
    busy.set()
    await asyncio.wrap_future(first)
    assert [(await asyncio.wrap_future(job)).value for job in jobs] == [0, 2, 4]
    batch = traces.one("device batch")
    parents = [traces.one(f"job {number}").context for number in range(3)]
    assert [link.context for link in batch.links] == parents
    assert batch.attributes["convscope.batch.size"] == 3
    singles = [span for span in traces.spans if span.name == "device"]
    assert [(span.context.trace_id, span.parent.span_id) for span in singles] == [(each.trace_id, each.span_id) for each in parents]


async def test_without_traces_nothing_is_added_to_the_records(bench, store_settings, tmp_path):
    await bench.published()
    shared = store_settings.model_dump(exclude={"models_file", "models_dir"})
    settings = ServiceSettings(**shared, models_file=tmp_path / "none.toml", models_dir=bench.models_dir)
    async with client_of(create_app(settings, bench.store)) as client:
        await submit(client, traceparent=TRACEPARENT)
    assert (await claimed(bench.store)).traceparent == ""
    with Redis.from_url(str(store_settings.redis_url)) as redis:
        (record,) = (key for key in redis.scan_iter() if b"execution" in key and redis.type(key) == b"hash")
        assert redis.hget(record, "method") == b"predict"
        assert not redis.hexists(record, "traceparent")
