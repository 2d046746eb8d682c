"""Run many Grad-CAM jobs through a store that is much too small for them, and show that it does not run full.

The store, Redis and the files are the real ones, with the default settings but for the size of the store. A worker that answers at once
stands in for the device; photos and artifacts have the sizes of real ones, and no two of them are equal. No job may be refused.

Example:
    python -m benchmarks.storage_drill --jobs 100000 --store 1GiB
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks.redis_memory import stored_bytes
from benchmarks.sized_results import grad_cam_result
from jobstore.records import Execution, Submission
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis

PHOTO_BYTES = 90_000
UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_PARAMS = (
    '{"alpha":0.4,"annotate":true,"class_index":null,"colormap":"jet","fit":null,"layer":"block7a_project_bn","size":null,"target":"logit"}'
)
_CALLERS = 16
_SWEEP_SECONDS = 60.0


@dataclass(frozen=True)
class StoreState:
    """The state of the store after a number of jobs: bytes of Redis's memory and of all files.

    What comes and goes in Redis is left out, see `stored_bytes`.
    """

    jobs: int
    memory: int
    files: int

    @classmethod
    def of(cls, redis: Redis, folder: Path, jobs: int) -> StoreState:
        return cls(jobs, stored_bytes(redis), _bytes_in(folder))

    def __str__(self) -> str:
        return f"{self.jobs:>8,} jobs: Redis {self.memory / 2**20:6.1f} MiB, files {self.files / 2**20:7.1f} MiB"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storage_drill", description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000, help="the number of jobs")
    parser.add_argument("--store", default="1GiB", help="the size of the store, for example 1GiB")
    parser.add_argument("--every", type=int, default=5000, help="the number of jobs between two lines of figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedRedis.start(Path(folder), max_memory=StoreSettings().redis_max_memory) as server:
        settings = StoreSettings(redis_url=server.url, data_dir=Path(folder), max_stored_bytes=_bytes(arguments.store))
        asyncio.run(_run_and_print(settings, arguments.jobs, arguments.every))


async def _run_and_print(settings: StoreSettings, jobs: int, every: int) -> None:
    store = JobStore.connect(settings.redis_url or "", settings)
    began = time.perf_counter()
    try:
        with Redis.from_url(settings.redis_url or "") as redis:
            for last in range(every, jobs + 1, every):
                print(await drill(store, redis, settings.data_dir / "files", range(last - every, last)), flush=True)
        counts = await store.evictions()
    finally:
        await store.close()
    print(f"{jobs:,} jobs in {time.perf_counter() - began:.0f} s, none refused. What gave way, by kind and reason: {counts}")


async def drill(store: JobStore, redis: Redis, folder: Path, numbers: range) -> StoreState:
    """Submit a job for each number, run it, and return the state after the last one. An error of any job ends the drill."""
    working = asyncio.create_task(_work(store, len(numbers)))
    waiting = iter(numbers)

    async def caller() -> None:
        for number in waiting:
            job = (await store.jobs.submit(_submission(number))).job
            ended = await store.jobs.wait(job.id, job.owner, 60, was_unfinished=True)
            assert ended is not None
            assert ended.state == "succeeded", ended.error

    async with asyncio.TaskGroup() as group:
        for _ in range(_CALLERS):
            group.create_task(caller())
        group.create_task(_sweep(store, working))
    await working
    return await asyncio.to_thread(StoreState.of, redis, folder, numbers.stop)


def _submission(number: int) -> Submission:
    photo = random.Random(number).randbytes(PHOTO_BYTES)  # noqa: S311 - it only has to differ
    request_id = f"{number:026}"
    return Submission(
        "anonymous", "grad_cam", "efficientnet_lite0", "fast", "normal", _PARAMS, "f" * 64, image=photo, request_id=request_id
    )


async def _work(store: JobStore, count: int) -> None:
    """Complete `count` executions."""
    held: set[asyncio.Task[Any]] = set()
    while count > 0:
        for execution in await store.queue.claim("drill", "fast", _CALLERS, 5.0):
            count -= 1
            held.add(task := asyncio.create_task(_complete(store, execution)))
            task.add_done_callback(held.discard)
    await asyncio.gather(*held)


async def _complete(store: JobStore, execution: Execution) -> None:
    assert len(await store.images.file_of(execution)) == PHOTO_BYTES
    assert await store.queue.complete(execution, grad_cam_result(execution.key))


async def _sweep(store: JobStore, working: asyncio.Task[None]) -> None:
    while not working.done():
        await store.sweep()
        await asyncio.wait([working], timeout=_SWEEP_SECONDS)


def _bytes_in(folder: Path) -> int:
    total = 0
    for part in os.scandir(folder):
        for entry in os.scandir(part):
            with suppress(FileNotFoundError):  # it may be deleted at this moment
                total += entry.stat().st_size
    return total


def _bytes(text: str) -> int:
    unit = text[-3:]
    return int(text[:-3]) * UNITS[unit] if unit in UNITS else int(text)


if __name__ == "__main__":
    main()
