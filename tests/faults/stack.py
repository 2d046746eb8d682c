"""Real workers under their supervisor with a small model, on a Redis that keeps everything when it is stopped or killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from catalog.catalog import load_catalog
from jobstore.records import JobRecord, Submission
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis
from schemas.errors import BrokerUnavailable
from schemas.jobs import JobState
from schemas.models import PublishedModel
from tests.wait import until, wait_until
from tests.workers.jobs import OWNER
from tests.workers.tiny import save_model

ROOT = Path(__file__).parents[2]
QUICK = {
    "lease": 3.0,
    "heartbeat": 0.5,
    "claim_block": 0.2,
    "preload": "tiny",
    "devices": "cpu",
    "log_format": "json",
    "min_free_disk": 0,
}


class WorkerStack:
    """`program` is the module that runs the supervisor: `workers`, or `tests.faults.injected_workers`, in which some jobs fail."""

    def __init__(self, folder: Path, program: str = "workers", **settings: object) -> None:
        self.folder = folder
        self._program = program
        models = folder / "models"
        models.mkdir()
        save_model(models)
        self.redis = EmbeddedRedis.start(folder, appendfsync="always")
        self._settings = {"data_dir": folder, "models_dir": models, "models_file": folder / "none.toml", **QUICK, **settings}
        chosen = {name: value for name, value in self._settings.items() if name in StoreSettings.model_fields}
        self.store_settings = StoreSettings.model_validate({**chosen, "redis_url": self.redis.url})
        self.store = JobStore.connect(self.redis.url, self.store_settings)
        self.log = folder / "workers.log"
        self.supervisor: subprocess.Popen[bytes] | None = None

    def variables(self) -> dict[str, str]:
        """Return the settings as environment variables, for services and workers."""
        return {f"CONVSCOPE_{name.upper()}": str(value) for name, value in self._settings.items()} | {"CONVSCOPE_REDIS_URL": self.redis.url}

    def start_workers(self) -> None:
        with self.log.open("ab") as log:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", self._program],
                cwd=ROOT,
                env={**os.environ, **self.variables()},
                stdout=log,
                stderr=log,
            )

    def said(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of the workers' log that report `event`."""
        lines = (line for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [entry for entry in map(json.loads, lines) if entry["event"] == event]

    @property
    def worker_pid(self) -> int:
        return int(self.said("worker started")[-1]["pid"])

    def kill_worker(self) -> None:
        """Kill the worker with SIGKILL and wait until the supervisor has started another."""
        started = len(self.said("worker started"))
        os.kill(self.worker_pid, signal.SIGKILL)
        wait_until(lambda: len(self.said("worker started")) > started)

    def stop_workers(self) -> int:
        """Stop the supervisor with SIGTERM and return its exit status."""
        assert self.supervisor is not None
        self.supervisor.terminate()
        return self.supervisor.wait(60)

    def restart_redis(self, *, crash: bool) -> None:
        if crash:
            self.redis.kill()
        else:
            self.redis.stop()
        before = self.redis.url
        self.redis = EmbeddedRedis.start(self.folder, appendfsync="always")
        assert self.redis.url == before

    async def model(self, name: str = "tiny") -> PublishedModel:
        """Wait until a worker has published the small model, or another one, and return it."""
        digest = load_catalog(self.folder / "none.toml", self.folder / "models")[name].digest

        async def published() -> PublishedModel | None:
            return await self.store.models.read(name, digest)

        await until(published, 180)
        model = await published()
        assert model is not None
        return model

    async def submit(self, submission: Submission) -> str:
        """Submit a job and return its id. Repeat while Redis is away, as a caller with an idempotency key does."""
        accepted: list[str] = []

        async def submitted() -> bool:
            try:
                accepted.append((await self.store.jobs.submit(submission)).job.id)
            except BrokerUnavailable:
                return False
            return True

        await until(submitted, 60)
        return accepted[0]

    async def ended(self, job_ids: Sequence[str]) -> list[JobRecord]:
        """Wait until all jobs have ended and return them. Check that each has exactly one `done` event and its stored artifacts."""
        records: list[JobRecord] = []
        for job_id in job_ids:
            record = await self.store.jobs.wait(job_id, OWNER, 90)
            assert record is not None
            assert record.state.ended, record
            records.append(record)
            ends = [event async for event in self.store.jobs.events(job_id, OWNER) if event is not None and event.type == "done"]
            assert len(ends) == 1
            if record.state is JobState.SUCCEEDED:
                for artifact in (each for each in record.artifacts if each.name not in record.drawings):
                    assert len(await self.store.artifacts.read(job_id, OWNER, artifact.name)) == artifact.size
        return records

    async def running(self) -> int:
        depth = await self.store.queue.depth()
        return sum(lane.running for lane in depth.lanes.values())

    async def close(self) -> None:
        await self.store.close()
        if self.supervisor is not None and self.supervisor.poll() is None:
            self.supervisor.terminate()
            try:
                self.supervisor.wait(20)
            except subprocess.TimeoutExpired:
                self.supervisor.kill()
                self.supervisor.wait()
        self.redis.stop()
