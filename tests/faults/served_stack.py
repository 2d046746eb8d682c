"""Real workers, a service before them, and a client of it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from processes.ports import free_port
from tests.faults.stack import ROOT, WorkerStack
from tests.wait import until

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""The values of metrics by name and labels, for example `("convscope_jobs", (("lane", "fast"), ("state", "queued")))`."""


class ServedStack(WorkerStack):
    """A `WorkerStack` with one `convscope api`, whose workers answer Prometheus, too."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.metrics_port = free_port()
        super().__init__(folder, worker_metrics_port=self.metrics_port, **settings)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        with (folder / "service.log").open("wb") as log:
            self.service = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "api", "--fd", str(self.listener.fileno())],
                pass_fds=[self.listener.fileno()],
                cwd=ROOT,
                env={**os.environ, **self.variables()},
                stdout=log,
                stderr=log,
            )
        url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.client = httpx.AsyncClient(base_url=url, timeout=120, trust_env=False)

    async def ready(self, model: str = "tiny") -> None:
        """Wait until the service takes jobs and a worker has published the small model, or another one."""
        await self.model(model)

        async def answered() -> bool:
            try:
                return (await self.client.get("/readyz")).json()["status"] == "ready"
            except httpx.TransportError:
                return False

        await until(answered, 120)

    async def service_metrics(self) -> Samples:
        return read_samples((await self.client.get("/metrics")).raise_for_status().text)

    async def worker_metrics(self) -> Samples:
        return read_samples((await self.client.get(f"http://127.0.0.1:{self.metrics_port}/metrics")).raise_for_status().text)

    async def close(self) -> None:
        await self.client.aclose()
        self.service.terminate()
        try:
            await asyncio.to_thread(self.service.wait, 60)
        except subprocess.TimeoutExpired:
            self.service.kill()
            self.service.wait()
        self.listener.close()
        await super().close()


def read_samples(text: str) -> Samples:
    """Return every sample of a text that Prometheus would read."""
    families = text_string_to_metric_families(text)
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for family in families for sample in family.samples}
