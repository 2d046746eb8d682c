"""Time one-line Grad-CAM calls through HTTP with and without thousands of callers who wait in the same service process.

The service runs in a process of its own; Redis and a worker that answers at once run beside it, so the times are those of the service
and of Redis alone. The waiting callers wait for jobs that nobody runs. Everything listens on loopback.

Example:
    python -m benchmarks.waiters --polls 2000 --streams 500 --calls 150
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.process_times import resident_bytes
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis
from service.settings import ServiceSettings
from tests.schemas.tiny import description
from tests.service.fake_worker import FakeWorker, catalog_of, png

_WAITED_FOR = 50  # jobs that the waiting callers share


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waiters", description=__doc__)
    parser.add_argument("--polls", type=int, default=2000, help="the number of long polls")
    parser.add_argument("--streams", type=int, default=500, help="the number of event streams")
    parser.add_argument("--calls", type=int, default=150, help="the number of timed calls in each of the two measurements")
    arguments = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder, EmbeddedRedis.start(Path(folder)) as server:
        asyncio.run(_measure(server.url, Path(folder), arguments.polls, arguments.streams, arguments.calls))


async def _measure(redis_url: str, folder: Path, polls: int, streams: int, calls: int) -> None:
    shared = StoreSettings(redis_url=redis_url, data_dir=folder, models_dir=folder, models_file=folder / "models.toml", min_free_disk=0)
    settings = ServiceSettings(**shared.model_dump())
    store = JobStore.connect(redis_url, shared)
    worker = FakeWorker(store, catalog_of(settings.models_file, settings.models_dir))
    await worker.publish(description())
    service, url = _start_service(settings)
    working = asyncio.create_task(_work(worker))
    try:
        async with httpx.AsyncClient(base_url=url, timeout=90) as client:
            await _until_ready(client)
            await _times(client, calls, 0)  # connections are opened and code is loaded
            alone, memory = await _times(client, calls, calls), resident_bytes(service.pid)
            waiting = await _start_waiting(client, polls, streams)
            taken = resident_bytes(service.pid) - memory
            crowded = await _times(client, calls, 2 * calls)
            still = sum(not task.done() for task in waiting)
            ready = (await client.get("/readyz")).status_code
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
    finally:
        working.cancel()
        service.terminate()
        await asyncio.to_thread(service.wait)
        await store.close()
    print(f"{polls} long polls and {streams} event streams; {still} still waited at the end, and /readyz answered {ready}.")
    for name, times in (("none waiting", alone), ("all waiting", crowded)):
        print(f"{name}: median {1000 * statistics.median(times):.1f} ms, p95 {1000 * _p95(times):.1f} ms")
    print(f"p95 with all waiting / with none: {_p95(crowded) / _p95(alone):.2f}")
    print(f"memory of the service for each waiting caller: {taken / (polls + streams) / 1024:.0f} KiB")


def _start_service(settings: ServiceSettings) -> tuple[subprocess.Popen[bytes], str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    names = ("redis_url", "data_dir", "models_dir", "models_file", "min_free_disk")
    environment = {f"CONVSCOPE_{name.upper()}": str(getattr(settings, name)) for name in names}
    environment |= {"CONVSCOPE_PORT": str(port), "CONVSCOPE_LOG_LEVEL": "warning"}
    command = [sys.executable, "-m", "cli.main", "api"]
    return subprocess.Popen(command, env=os.environ | environment), f"http://127.0.0.1:{port}"  # noqa: S603 - the command is fixed


async def _until_ready(client: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if (await client.get("/readyz")).status_code == 200:
                return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.1)


async def _work(worker: FakeWorker) -> None:
    """Complete fast jobs as soon as they come."""
    while True:
        if execution := await worker.claim_or_none():
            await worker.complete(execution)


async def _times(client: httpx.AsyncClient, calls: int, first: int) -> list[float]:
    """Return the seconds of calls one after the other. Each asks for other work, so that none is answered from an earlier result."""
    photo, spent = png(), []
    for number in range(first, first + calls):
        form = {"model": "vgg16", "alpha": f"{number / 10_000:.4f}"}
        began = time.perf_counter()
        answer = await client.post("/v1/grad_cam", data=form, files={"image": photo})
        spent.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text
        await asyncio.sleep(0.01)
    return spent


async def _start_waiting(client: httpx.AsyncClient, polls: int, streams: int) -> list[asyncio.Task[None]]:
    """Start the waiting callers for jobs of the slow lane, and return when all of them wait.

    They are plain sockets, because thousands of connections of one httpx client would take the time that is measured.
    """
    port = client.base_url.port or 80
    request = {"method": "filters", "model": "vgg16"}
    jobs = [(await client.post("/v1/jobs", json={**request, "params": {"seed": seed}})).json()["id"] for seed in range(_WAITED_FOR)]

    async def ask(path: str) -> None:
        while True:  # a long poll ends after 60 seconds and is asked again
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            try:
                assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
            finally:
                writer.close()

    waiting: list[asyncio.Task[None]] = []
    for number in range(polls + streams):
        job_id = jobs[number % _WAITED_FOR]
        path = f"/v1/jobs/{job_id}?wait=60" if number < polls else f"/v1/jobs/{job_id}/events"
        waiting.append(asyncio.create_task(ask(path)))
        if number % 50 == 49:
            await asyncio.sleep(0.2)
    await client.get("/readyz")
    await asyncio.sleep(5)
    return waiting


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    main()
