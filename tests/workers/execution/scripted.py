"""A worker whose jobs wait until the test says how they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from jobstore.records import Execution, Result
from jobstore.store import JobStore
from rendering import encode
from schemas.jobs import JobState
from tests.workers.execution.recorded import ListedWork
from tests.workers.jobs import job
from workers.contract.progress import Slice
from workers.execution.at_work import ExecutionsAtWork
from workers.execution.attempt import Attempts
from workers.execution.claim_loop import ClaimLoop, WorkerIdentity
from workers.execution.device_budget import DeviceBudget
from workers.execution.metrics import WorkerMetrics
from workers.execution.model_access import OnLoading
from workers.settings import WorkerSettings


class ScriptedRunner:
    """A runner whose jobs wait until they are told how to end. The parameter `name` tells them apart."""

    def __init__(self) -> None:
        self.running: dict[str, Execution] = {}
        self.most_at_once = 0
        self.on_start: Callable[[], Awaitable[None]] | None = None
        self.started: set[str] = set()  # jobs that do not wait for their model any more
        self.loads: dict[str, asyncio.Event] = {}  # by model: a job of the model waits until its event is set
        self.canceled: list[str] = []
        self.on_slice: dict[str, Callable[[Slice], None]] = {}
        self.budgets: dict[str, DeviceBudget] = {}
        self._ends: dict[str, asyncio.Future[Result]] = {}

    async def run(self, execution: Execution, on_slice: Callable[[Slice], None], budget: DeviceBudget, on_loading: OnLoading) -> Result:
        name = json.loads(execution.params)["name"]
        self.running[name] = execution
        self.on_slice[name], self.budgets[name] = on_slice, budget
        self.most_at_once = max(self.most_at_once, len(self.running))
        try:
            if execution.model in self.loads:
                on_loading(True)
                await self.loads[execution.model].wait()
                on_loading(False)
                await asyncio.sleep(0)  # a job that is given back goes no further
            self.started.add(name)
            if self.on_start is not None:
                await self.on_start()
            return await self.end(name)
        except asyncio.CancelledError:
            self.canceled.append(name)
            raise
        finally:
            del self.running[name]

    def end(self, name: str) -> asyncio.Future[Result]:
        return self._ends.setdefault(name, asyncio.get_running_loop().create_future())

    async def encode_preview(self, image: Any) -> bytes:
        return encode.png(image)


class ScriptedWorker:
    """A claim loop that runs in the background."""

    def __init__(self, store: JobStore, settings: WorkerSettings, name: str = "w1") -> None:
        self.runner = ScriptedRunner()
        self.metrics = WorkerMetrics()
        self.record = ListedWork()
        self.store = store
        self._stop = asyncio.Event()
        loop = ClaimLoop(
            identity=WorkerIdentity(name, "CPU:0", lambda: ("tiny",)),
            store=store,
            attempts=Attempts(store, self.runner, settings),
            settings=settings,
            metrics=self.metrics,
            at_work=ExecutionsAtWork(self.record),
        )
        self.task = asyncio.create_task(loop.serve(self._stop))

    def ask_to_stop(self) -> None:
        self._stop.set()

    async def close(self) -> None:
        self._stop.set()
        await self.task


async def state(store: JobStore, job_id: str) -> JobState:
    return (await job(store, job_id)).state
