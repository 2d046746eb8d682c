"""A whole convscope for one fault: Redis, a service on demand, and workers that need no device."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis
from tests.schemas.tiny import description
from tests.service.fake_worker import FakeWorker, catalog_of
from tests.wait import until

ROOT = Path(__file__).parents[2]
_END_SECONDS = 90.0


def start_service(listener: socket.socket, variables: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start `convscope api` on a socket that listens already."""
    command = [sys.executable, "-m", "cli.main", "api", "--fd", str(listener.fileno())]
    with log.open("ab") as stream:
        return subprocess.Popen(command, pass_fds=[listener.fileno()], cwd=ROOT, env=os.environ | variables, stdout=stream, stderr=stream)  # noqa: S603


class DrillSite:
    """Holds the parts of a convscope in `folder`, and ends all of them at the end of an `async with` block.

    Args:
        folder: an empty folder.
        redis: a Redis that runs already. If it is None, one is started that writes each command to the disk at once.
        redis_url: the address that service and workers use, if they do not reach Redis directly.
        settings: settings by their names, for service, workers and the drill's own store.
    """

    def __init__(self, folder: Path, *, redis: EmbeddedRedis | None = None, redis_url: str | None = None, **settings: Any) -> None:
        self.folder = folder
        self.redis = redis or EmbeddedRedis.start(folder, appendfsync="always")
        files = {"data_dir": folder, "models_dir": folder, "models_file": folder / "none.toml", "min_free_disk": 0}
        self._settings: dict[str, Any] = (
            files | {"max_queued_per_caller": 1_000_000, "log_format": "json", "claim_block": 0.5, "worker_drain": 10} | settings
        )
        known = {name: value for name, value in self._settings.items() if name in StoreSettings.model_fields}
        self.settings = StoreSettings(**known, redis_url=self.redis.url)
        self.store = JobStore.connect(self.redis.url, self.settings)
        self.fake = FakeWorker(self.store, catalog_of(self.settings.models_file, self.settings.models_dir))
        self.variables = {f"CONVSCOPE_{name.upper()}": str(value) for name, value in self._settings.items()}
        self.variables["CONVSCOPE_REDIS_URL"] = redis_url or self.redis.url
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self.client = httpx.AsyncClient(base_url=url, timeout=120, trust_env=False, limits=limits)
        self.log = folder / "workers.log"
        self._running: list[subprocess.Popen[bytes]] = []

    def start_service(self) -> subprocess.Popen[bytes]:
        self._running.append(start_service(self.listener, self.variables, self.folder / "service.log"))
        return self._running[-1]

    def start_workers(self, processes: int, seconds: float, batch: int | None = None) -> subprocess.Popen[bytes]:
        """Start a supervisor with so many worker processes.

        Their executions take so many seconds each and run at once. With `batch`, up to so many run together in that time, and the others
        wait.
        """
        pace = [str(seconds), *([] if batch is None else [str(batch)])]
        command = [sys.executable, "-m", "benchmarks.fault_drill.claiming_workers", str(processes), *pace]
        with self.log.open("ab") as log:
            self._running.append(subprocess.Popen(command, cwd=ROOT, env=os.environ | self.variables, stdout=log, stderr=log))  # noqa: S603
        return self._running[-1]

    async def ready(self, workers: int) -> None:
        """Wait until the model of the drill is published and so many workers are alive, and the service says so if it runs."""
        await self.fake.publish(description())

        async def alive() -> bool:
            return len(await self.store.workers.alive()) >= workers

        await until(alive, 120)

    def own(self, process: subprocess.Popen[bytes]) -> None:
        """End a process together with the site."""
        self._running.append(process)

    async def answers(self, status: int = 200, client: httpx.AsyncClient | None = None) -> None:
        """Wait until `/readyz` answers with `status`."""

        async def asked() -> bool:
            try:
                return (await (client or self.client).get("/readyz", timeout=10)).status_code == status
            except httpx.TransportError:
                return False

        await until(asked, 120)

    def said(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of the workers' log that report `event`."""
        lines = (line for line in self.log.read_text("utf-8").splitlines() if line.startswith("{"))
        return [entry for entry in map(json.loads, lines) if entry["event"] == event]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.client.aclose()
        await self.store.close()
        for process in self._running:
            if process.poll() is None:
                process.terminate()
        for process in self._running:
            try:
                await asyncio.to_thread(process.wait, _END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        self.listener.close()
        self.redis.stop()


async def send_cam(client: httpx.AsyncClient, number: int, prefer: str = "respond-async", **headers: str) -> httpx.Response:
    """Submit a Grad-CAM that no other number gives."""
    files = {"image": (f"{number}.png", unique_photo(number))}
    return await client.post("/v1/grad_cam", data={"model": "vgg16"}, files=files, headers={"Prefer": prefer, **headers})


def unique_photo(number: int) -> bytes:
    from tests.service.fake_worker import png

    return png(9, 5, number)
