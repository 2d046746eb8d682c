"""Run thousands of Grad-CAMs as one batch, kill service, worker and Redis in the middle, and show that nothing is lost or doubled.

The service, Redis and the files are the real ones. A worker that answers at once stands in for the device; photos and artifacts have the
sizes of real ones, and no two of them are equal. The memory of the service is watched all the time.

Example:
    python -m benchmarks.batch_drill --items 10000
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from benchmarks.process_times import resident_bytes
from benchmarks.sized_results import grad_cam_result, photo
from jobstore.records import Execution
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis
from schemas.errors import BrokerUnavailable, StorageFull
from tests.schemas.tiny import description
from tests.service.fake_worker import FakeWorker, catalog_of
from tests.wait import until

_IN_HAND = 16  # executions of the worker at the same time
_ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch_drill", description=__doc__)
    parser.add_argument("--items", type=int, default=10_000, help="the number of items")
    parser.add_argument("--calm", action="store_true", help="kill nothing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(asyncio.run(BatchDrill(Path(folder), arguments.items).run(kills=not arguments.calm)), flush=True)


class BatchDrill:
    """One batch from its request to its last result, on a Redis, a service and a worker of its own in `folder`."""

    def __init__(self, folder: Path, items: int) -> None:
        self._folder, self._items = folder, items
        self._redis = EmbeddedRedis.start(folder, appendfsync="always")
        settings: dict[str, Any] = {"data_dir": folder, "models_dir": folder, "models_file": folder / "none.toml", "min_free_disk": 0}
        settings |= {"lease": 3.0, "redis_url": self._redis.url}
        self._settings = StoreSettings(**settings)
        self._store = JobStore.connect(self._redis.url, self._settings)
        self._variables = {f"CONVSCOPE_{name.upper()}": str(value) for name, value in settings.items()}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._listener.getsockname()[1]}", timeout=120, trust_env=False)
        self._completed: Counter[str] = Counter()
        self._memory: list[int] = []
        self._rows: list[dict[str, Any]] = []

    async def run(self, *, kills: bool) -> str:
        """Run the drill and return its figures as text. An item that is lost or doubled ends it with an `AssertionError`."""
        service = self._start_service()
        await FakeWorker(self._store, catalog_of(self._settings.models_file, self._settings.models_dir)).publish(description())
        working = asyncio.create_task(self._work("first"))
        await until(self._is_ready, 120)
        watching = asyncio.create_task(self._watch_memory())
        try:
            began = time.perf_counter()
            batch = await self._submit()
            taken = time.perf_counter() - began
            before = max(self._memory)
            following = asyncio.create_task(self._follow(batch))
            if kills:
                await self._until_ended(self._items // 4)
                service.kill()
                service.wait()
                service = self._start_service()
                await self._until_ended(self._items // 2)
                working.cancel()
                working = asyncio.create_task(self._work("second"))
                await self._until_ended(self._items * 3 // 4)
                await asyncio.to_thread(self._redis.kill)
                self._redis = await asyncio.to_thread(EmbeddedRedis.start, self._folder, appendfsync="always")
            await following
            spent = time.perf_counter() - began
            await self._check(batch)
        finally:
            for task in (working, watching):
                task.cancel()
            service.send_signal(signal.SIGTERM)
            await asyncio.to_thread(service.wait)
            await self._client.aclose()
            await self._store.close()
            self._listener.close()
            self._redis.stop()
        return (
            f"{self._items:,} items: sent in {taken:.1f} s, all ended after {spent:.1f} s, each once. Memory of the service: "
            f"{self._memory[0] / 2**20:.0f} MiB at the start, {before / 2**20:.0f} MiB at most while it received the batch, "
            f"{max(self._memory) / 2**20:.0f} MiB at most in all."
        )

    def _start_service(self) -> subprocess.Popen[bytes]:
        with (self._folder / "service.log").open("ab") as log:
            service = subprocess.Popen(  # noqa: S603 - the command is fixed
                [sys.executable, "-m", "cli.main", "api", "--fd", str(self._listener.fileno())],
                pass_fds=[self._listener.fileno()],
                cwd=_ROOT,
                env=os.environ | self._variables,
                stdout=log,
                stderr=log,
            )
        self._pid = service.pid
        return service

    async def _is_ready(self) -> bool:
        return (await self._client.get("/readyz")).status_code == 200

    async def _submit(self) -> str:
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "drill"}
        answer = await self._client.post("/v1/batches", content=self._lines(), headers=headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def _lines(self) -> AsyncGenerator[bytes]:
        picture = photo(0)
        yield b'{"defaults": {"method": "grad_cam", "model": "vgg16"}}\n'
        for number in range(self._items):
            unique = picture + f"{number:08}".encode()  # a PNG may be followed by other bytes
            image = {"base64": base64.b64encode(unique).decode()}
            yield json.dumps({"custom_id": f"photo {number}", "image": image}).encode() + b"\n"

    async def _work(self, name: str) -> None:
        """Complete executions. If this is canceled, what is in hand is dropped, as if the worker had died."""
        held: set[asyncio.Task[None]] = set()
        try:
            while True:
                try:
                    claimed = await self._store.queue.claim(name, "fast", _IN_HAND, 2.0)
                except (BrokerUnavailable, StorageFull):
                    await asyncio.sleep(0.2)
                    continue
                for execution in claimed:
                    held.add(task := asyncio.create_task(self._complete(execution)))
                    task.add_done_callback(held.discard)
                if held:
                    await asyncio.wait(held)
        finally:
            for task in held:
                task.cancel()

    async def _complete(self, execution: Execution) -> None:
        content = await self._store.images.file_of(execution)
        result = await asyncio.to_thread(grad_cam_result, execution.key)
        while True:
            try:
                if await self._store.queue.complete(execution, result):
                    self._completed[content[-8:].decode()] += 1
                return
            except BrokerUnavailable:
                await asyncio.sleep(0.2)

    async def _follow(self, batch: str) -> None:
        """Read the results as they come, as a caller who goes on after each broken connection."""
        while len(self._rows) < self._items:
            params = {"follow": "true", "cursor": self._rows[-1]["cursor"] if self._rows else "0"}
            with suppress(httpx.TransportError):
                async with self._client.stream("GET", f"/v1/batches/{batch}/results", params=params) as answer:
                    if answer.status_code == 200:
                        async for line in answer.aiter_lines():
                            self._rows.append(json.loads(line))
            await asyncio.sleep(0.2)

    async def _until_ended(self, count: int) -> None:
        await until(lambda: len(self._rows) >= count, 3600)

    async def _watch_memory(self) -> None:
        while True:
            with suppress(FileNotFoundError, IndexError, ProcessLookupError):
                self._memory.append(await asyncio.to_thread(resident_bytes, self._pid))
            await asyncio.sleep(0.1)

    async def _check(self, batch: str) -> None:
        names = [f"photo {number}" for number in range(self._items)]
        assert sorted(row["custom_id"] for row in self._rows) == sorted(names)
        assert {row["state"] for row in self._rows} == {"succeeded"}
        assert len({row["job_id"] for row in self._rows}) == self._items
        assert set(self._completed.values()) == {1}
        assert len(self._completed) == self._items
        answer = (await self._client.get(f"/v1/batches/{batch}")).json()
        assert (answer["state"], answer["counts"]["succeeded"]) == ("succeeded", self._items)


if __name__ == "__main__":
    main()
