"""Workers without TensorFlow under the real supervisor: `python -m benchmarks.fault_drill.claiming_workers PROCESSES SECONDS [BATCH]`.

The claim loop, the leases, the attempts and the supervisor are the real ones. An execution takes `SECONDS` and then has a result of the
size of a Grad-CAM's. If its parameters hold `"drill": "kill"`, it kills the worker process instead.

With `BATCH`, the executions of a process wait for one device, as those of a real worker do: the real scheduler runs up to so many as one
batch, which takes `SECONDS`. Without it, all executions that a process holds run at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ulid import ULID

from benchmarks.sized_results import grad_cam_result
from jobstore.records import Execution, Result
from jobstore.store import JobStore
from processes.parent_death import end_with_multiprocessing_parent
from telemetry.logs import configure_logs, get_logger
from workers.contract.progress import Slice
from workers.execution.at_work import ExecutionsAtWork, work
from workers.execution.attempt import Attempts
from workers.execution.batch_key import apart
from workers.execution.claim_loop import ClaimLoop, WorkerIdentity
from workers.execution.device_budget import DeviceBudget
from workers.execution.metrics import WorkerMetrics
from workers.execution.model_access import OnLoading
from workers.execution.scheduler import Scheduler
from workers.settings import WorkerSettings
from workers.supervision.crash_record import CrashRecord
from workers.supervision.device import Device
from workers.supervision.launch import supervise
from workers.supervision.supervisor import fork_server
from workers.supervision.watchdog import Watchdog

_log = get_logger(__name__)


class TimedRunner:
    """Runs executions without a device: each takes `seconds`. With a scheduler, each batch takes `seconds`, one after the other."""

    def __init__(self, seconds: float, scheduler: Scheduler | None) -> None:
        self._seconds, self._scheduler = seconds, scheduler

    async def run(self, execution: Execution, on_slice: Callable[[Slice], None], budget: DeviceBudget, on_loading: OnLoading) -> Result:
        _log.info("execution began", pid=os.getpid(), at=time.time())
        kills = json.loads(execution.params).get("drill") == "kill"
        if self._scheduler is None:
            with work().under_way():
                _die_if(kills)
                await asyncio.sleep(self._seconds)
        else:
            await asyncio.wrap_future(self._scheduler.fast(apart(execution), kills, self._run_batch))
        return await asyncio.to_thread(grad_cam_result, execution.key)

    async def encode_preview(self, image: Any) -> bytes:
        raise NotImplementedError("These workers show no previews.")

    def _run_batch(self, kills: Sequence[bool]) -> Sequence[None]:
        _die_if(any(kills))
        time.sleep(self._seconds)
        return [None] * len(kills)


def _die_if(kills: bool) -> None:
    if kills:
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Pace:
    """The seconds that an execution takes, or a batch of up to `batch` executions if that is not None."""

    seconds: float
    batch: int | None


def worker(settings: WorkerSettings, device: Device, index: int, watchdog: Watchdog, record: CrashRecord, *, pace: Pace) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_multiprocessing_parent()
    configure_logs(settings.log_level, settings.log_format)
    scheduler = None if pace.batch is None else Scheduler(threads=1, max_batch=pace.batch, watch=watchdog)
    asyncio.run(_serve(TimedRunner(pace.seconds, scheduler), settings, f"drill-{index}-{ULID()}", watchdog, record))


async def _serve(runner: TimedRunner, settings: WorkerSettings, name: str, watchdog: Watchdog, record: CrashRecord) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    assert settings.redis_url is not None
    store = JobStore.connect(settings.redis_url, settings)
    record.name_worker(name)
    loop = ClaimLoop(
        identity=WorkerIdentity(name, "CPU:0", lambda: ("vgg16",)),
        store=store,
        attempts=Attempts(store, runner, settings),
        settings=settings,
        metrics=WorkerMetrics(),
        at_work=ExecutionsAtWork(record),
        alive=watchdog.expect_event_loop,
    )
    await loop.serve(stop)
    await store.close()


def main() -> None:
    processes, pace = int(sys.argv[1]), Pace(float(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
    settings = WorkerSettings()
    configure_logs(settings.log_level, settings.log_format)
    context = fork_server(["benchmarks.fault_drill.claiming_workers"])
    supervise(partial(worker, pace=pace), [Device("cpu")] * processes, settings, context)


if __name__ == "__main__":
    main()
