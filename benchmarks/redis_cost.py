"""Count what one Grad-CAM job costs Redis: scripts, time, memory and bytes of the append-only file.

The service, the store and Redis are the real ones. A worker that answers at once stands in for the device; its artifacts have the sizes
of real ones. Every job has a photo of its own and is a one-line call.

Example:
    python -m benchmarks.redis_cost --jobs 1000 --callers 16
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import structlog
from redis import Redis

from benchmarks.sized_results import grad_cam_result, photo
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis
from service.app import create_app
from service.settings import ServiceSettings
from tests.schemas.tiny import description
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, catalog_of

_IN_FLIGHT = 16  # executions that the worker holds at once
_EVENTS_LINGER = 65.0  # seconds after which the events of ended jobs are gone


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.redis_cost", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000, help="the number of jobs that are counted")
    parser.add_argument("--callers", type=int, default=16, help="the number of callers at the same time")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder, EmbeddedRedis.start(Path(folder)) as server, Redis.from_url(server.url) as redis:
        asyncio.run(_measure(redis, server.url, Path(folder), arguments.jobs, arguments.callers))


async def _measure(redis: Redis, redis_url: str, folder: Path, jobs: int, callers: int) -> None:
    shared = StoreSettings(redis_url=redis_url, data_dir=folder, models_dir=folder, models_file=folder / "models.toml", min_free_disk=0)
    settings = ServiceSettings(**shared.model_dump())
    store, workers_store = JobStore.connect(redis_url, shared), JobStore.connect(redis_url, shared)
    worker = FakeWorker(workers_store, catalog_of(settings.models_file, settings.models_dir))
    await worker.publish(description())
    await worker.live("vgg16")
    working = asyncio.create_task(_work(workers_store))
    try:
        async with client_of(create_app(settings, store)) as client:
            await _call(client, range(callers), callers)
            redis.config_resetstat()
            before, began = _sizes(redis), time.perf_counter()
            await _call(client, range(callers, callers + jobs), callers)
            seconds = time.perf_counter() - began
            calls, microseconds = _scripts(redis)
            at_once = _sizes(redis)
            await asyncio.sleep(_EVENTS_LINGER)
            later = _sizes(redis)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await store.close()
        await workers_store.close()
    print(f"{jobs} jobs of {callers} callers in {seconds:.1f} s")
    print(f"scripts a job: {calls / jobs:.2f}")
    print(f"time of Redis in scripts: {microseconds / jobs:.0f} µs a job, waiting for a processor included")
    print(f"CPU of the process Redis: {(at_once['cpu'] - before['cpu']) / jobs:.0f} µs a job, reading and writing included")
    print(f"memory of Redis: {(at_once['memory'] - before['memory']) / jobs:,.0f} bytes a job at the end")
    print(f"memory of Redis: {(later['memory'] - before['memory']) / jobs:,.0f} bytes a job {_EVENTS_LINGER:.0f} s later")
    print(f"append-only file: {(at_once['aof'] - before['aof']) / jobs:,.0f} bytes a job")


async def _work(store: JobStore) -> None:
    """Complete fast jobs as soon as they come, several at a time, as a worker does."""
    held: set[asyncio.Task[Any]] = set()
    while True:
        for execution in await store.queue.claim("bench", "fast", _IN_FLIGHT - len(held), 5.0):
            task = asyncio.create_task(store.queue.complete(execution, grad_cam_result(execution.key)))
            held.add(task)
            task.add_done_callback(held.discard)
        if len(held) == _IN_FLIGHT:
            await asyncio.wait(held, return_when=asyncio.FIRST_COMPLETED)


async def _call(client: httpx.AsyncClient, numbers: range, callers: int) -> None:
    waiting = iter(numbers)

    async def caller() -> None:
        for number in waiting:
            answer = await client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": photo(number)})
            assert answer.status_code == 200, answer.text

    await asyncio.gather(*(caller() for _ in range(callers)))


def _sizes(redis: Redis) -> dict[str, int]:
    cpu: Any = redis.info("cpu")
    return {
        "memory": redis.info("memory")["used_memory"],
        "aof": redis.info("persistence")["aof_current_size"],
        "cpu": round(1e6 * (cpu["used_cpu_user"] + cpu["used_cpu_sys"])),
    }


def _scripts(redis: Redis) -> tuple[int, int]:
    """Return how many scripts were run since the counts were reset, and the microseconds that they took."""
    counts: Any = redis.info("commandstats")
    used = [counts[name] for name in ("cmdstat_evalsha", "cmdstat_eval") if name in counts]
    return sum(each["calls"] for each in used), sum(each["usec"] for each in used)


if __name__ == "__main__":
    main()
