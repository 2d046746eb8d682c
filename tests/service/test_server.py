"""The service behind a real HTTP server: callers that leave, event streams, bodies that are too large, the drain."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from httpx_sse import ServerSentEvent, aconnect_sse

from jobstore.store import JobStore
from service.settings import ServiceSettings
from tests.service.fake_worker import CAM_ARTIFACTS, FakeWorker, png
from tests.service.test_errors import problem_of
from tests.service.test_submit import PHOTO, cam

SERVE = """
import asyncio, socket, sys
from jobstore.store import JobStore
from service.app import create_app
from service.server import serve
from service.settings import ServiceSettings

async def main():
    settings = ServiceSettings()
    store = JobStore.connect(settings.redis_url, settings)
    await serve(create_app(settings, store), settings, [socket.socket(fileno=int(sys.argv[1]))])
    await store.close()

asyncio.run(main())
"""


@asynccontextmanager
async def events_of(client: httpx.AsyncClient, job_id: str, **headers: str) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
    async with aconnect_sse(client, "GET", f"/v1/jobs/{job_id}/events", headers=headers) as source:
        yield source.aiter_sse()


async def submitted(client: httpx.AsyncClient) -> str:
    return str((await client.post("/v1/jobs", json=cam())).json()["id"])


async def test_events_come_as_they_happen(url: str, worker: FakeWorker) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        job_id, preview = await submitted(client), png(3, 2)
        async with events_of(client, job_id) as events:
            assert (await anext(events)).json()["state"] == "queued"
            execution = await worker.claim()
            assert (await anext(events)).json()["state"] == "running"
            await worker.progress(execution, 1, 2, 0.5, preview)
            assert (await anext(events)).json() == {"event": "progress", "job_id": job_id, "step": 1, "total": 2, "value": 0.5}
            shown = await anext(events)
            assert (shown.event, shown.json()["image"]) == ("preview", "data:image/png;base64," + base64.b64encode(preview).decode())
        async with events_of(client, job_id, **{"Last-Event-ID": shown.id}) as events:
            await worker.complete(execution)
            last = [event async for event in events]
        finished = ("progress", {"event": "progress", "job_id": job_id, "step": 1, "total": 1, "value": None})
        assert [(event.event, event.json()) for event in last] == [
            finished,
            ("done", {"event": "done", "job_id": job_id, "state": "succeeded"}),
        ]
        assert [int(event.id) - int(shown.id) for event in last] == [1, 2]


async def test_a_silent_stream_is_pinged(url: str, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.05)
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        job_id = await submitted(client)
        async with client.stream("GET", f"/v1/jobs/{job_id}/events") as answer:
            async for line in answer.aiter_lines():
                if line.startswith(":"):
                    break
            assert line == ": ping"


async def state_of(store: JobStore, job_id: str) -> str:
    job = await store.jobs.read(job_id, "anonymous")
    assert job is not None
    return job.state


async def left(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore, **headers: str) -> str:
    """Call the one-line form and leave when the job runs; return the job's id."""
    asking = asyncio.create_task(client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": PHOTO}, headers=headers))
    await worker.claim()
    jobs, _ = await store.jobs.page("anonymous")
    asking.cancel()
    await asyncio.wait([asking])
    return jobs[0].id


async def test_the_job_of_a_caller_who_left_is_canceled(url: str, worker: FakeWorker, store: JobStore) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        job_id = await left(client, worker, store)
    while await state_of(store, job_id) == "running":
        await asyncio.sleep(0.01)
    assert await state_of(store, job_id) == "canceled"


async def test_the_job_of_a_caller_with_an_idempotency_key_goes_on(url: str, worker: FakeWorker, store: JobStore) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        job_id = await left(client, worker, store, **{"Idempotency-Key": "later"})
        # When the service has noticed that the caller left, the job must still run.
        counted = 'convscope_http_requests_total{method="POST",route="/v1/grad_cam",status="499"} 1.0'
        while counted not in (await client.get("/metrics")).text:
            await asyncio.sleep(0.01)
        assert await state_of(store, job_id) == "running"


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_of_33_mebibytes(url: str, chunked: bool) -> None:
    size = 33 * 1024 * 1024

    async def body() -> AsyncIterator[bytes]:
        for _ in range(33):
            yield bytes(1024 * 1024)

    headers = {"Content-Type": "application/json"} | ({} if chunked else {"Content-Length": str(size)})
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        problem = problem_of(await client.post("/v1/jobs", content=body(), headers=headers), 413, "body_too_large")
        assert problem.allowed == f"at most {32 * 1024 * 1024} bytes"
        assert (await client.get("/livez")).status_code == 200


@asynccontextmanager
async def served(
    settings: ServiceSettings, output: int = subprocess.PIPE, **more: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run the service in a process of its own, which the test ends.

    A test that reads no output and causes much of it gives `subprocess.DEVNULL`: while a pipe is full, the end of its process is not seen.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        environment = os.environ | more | {"CONVSCOPE_REDIS_URL": settings.redis_url or "", "CONVSCOPE_DATA_DIR": str(settings.data_dir)}
        fd = listener.fileno()
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVE, str(fd), pass_fds=[fd], env=environment, stdout=output)
        try:
            yield process, f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_sigterm_ends_streams_and_polls_and_loses_nothing(settings: ServiceSettings, worker: FakeWorker, store: JobStore) -> None:
    """A one-line call waits on for its answer. If there is none shortly before the connections are closed, the caller reads why."""
    async with served(settings, CONVSCOPE_DRAIN="4") as (process, url), httpx.AsyncClient(base_url=url, timeout=60) as client:
        job_id = await submitted(client)
        polling = asyncio.create_task(client.get(f"/v1/jobs/{job_id}", params={"wait": 60}))
        calls = [
            asyncio.create_task(client.post("/v1/grad_cam", data={"model": "vgg16", "alpha": alpha}, files={"image": PHOTO}))
            for alpha in ("0.7", "0.8")
        ]
        while len((await store.jobs.page("anonymous"))[0]) < 3:
            await asyncio.sleep(0.01)
        async with events_of(client, job_id) as events:
            assert (await anext(events)).event == "status"
            process.send_signal(signal.SIGTERM)
            assert [event async for event in events] == []
        assert (await polling).json()["state"] == "queued"
        for _ in range(2):  # the job of the poll, and that of one of the calls
            await worker.complete(await worker.claim(), CAM_ARTIFACTS)
        answers = await asyncio.gather(*calls)
        assert sorted(answer.status_code for answer in answers) == [200, 504]
        late = max(answers, key=lambda answer: answer.status_code).json()
        assert late["code"] == "not_finished"
        assert late["detail"].startswith("The service is shutting down. Job ")
        await process.wait()
    await worker.complete(await worker.claim(), CAM_ARTIFACTS)
    assert [job.state for job in (await store.jobs.page("anonymous"))[0]] == ["succeeded"] * 3


async def test_a_stopping_service_says_what_it_waits_for_and_a_second_signal_ends_it(settings: ServiceSettings, worker: FakeWorker) -> None:
    async with served(settings) as (process, url):
        assert process.stdout is not None
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        head = "POST /v1/grad_cam HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000\r\n\r\n"
        writer.write(head.encode() + b"--b\r\n")  # the rest of the upload never comes
        await writer.drain()
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            while "convscope_http_requests" not in (await client.get("/metrics")).text:
                await asyncio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        async for line in process.stdout:
            if b"waiting for requests" in line:
                break
        assert b"count=1" in line
        assert b"POST /v1/grad_cam for " in line
        assert 20 < float(line.decode().split("at_most_seconds=")[1].split()[0]) <= 30
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 15)
        writer.close()


async def test_readyz_says_that_it_drains_before_connections_are_refused(settings: ServiceSettings, worker: FakeWorker) -> None:
    async with served(settings, CONVSCOPE_DRAIN_DELAY="30") as (process, url), httpx.AsyncClient(base_url=url, timeout=60) as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.headers.get("connection")) == (200, None)
        process.send_signal(signal.SIGTERM)
        while (answer := await client.get("/readyz")).status_code == 200:
            await asyncio.sleep(0.01)
        assert (answer.status_code, answer.json()["status"], answer.headers["connection"]) == (503, "draining", "close")
        assert (await client.get("/v1/methods")).status_code == 200
        process.send_signal(signal.SIGTERM)  # a second signal ends the delay
        await process.wait()
