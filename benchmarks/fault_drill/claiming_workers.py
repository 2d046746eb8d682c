"""Workers without TensorFlow under the real supervisor: `python -m benchmarks.fault_drill.claiming_workers PROCESSES SECONDS`.

The claim loop, the leases, the attempts and the supervisor are the real ones. An execution takes `SECONDS` and then has a result of the
size of a Grad-CAM's. If its parameters hold `"drill": "kill"`, it kills the worker process instead.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from ulid import ULID

from benchmarks.sized_results import grad_cam_result
from jobstore.records import Execution, Result
from jobstore.store import JobStore
from processes.parent_death import end_with_multiprocessing_parent
from telemetry.logs import configure_logs, get_logger
from workers.contract.progress import Slice
from workers.execution.attempt import Attempts
from workers.execution.claim_loop import ClaimLoop, WorkerIdentity
from workers.execution.device_budget import DeviceBudget
from workers.execution.metrics import WorkerMetrics
from workers.execution.model_access import OnLoading
from workers.settings import WorkerSettings
from workers.supervision.device import Device
from workers.supervision.supervisor import Supervisor, fork_server
from workers.supervision.watchdog import Watchdog

_log = get_logger(__name__)


class TimedRunner:
    """Runs executions without a device: each takes `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def run(self, execution: Execution, on_slice: Callable[[Slice], None], budget: DeviceBudget, on_loading: OnLoading) -> Result:
        _log.info("execution began", pid=os.getpid(), at=time.time())
        if json.loads(execution.params).get("drill") == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.sleep(self._seconds)
        return await asyncio.to_thread(grad_cam_result, execution.key)

    async def encode_preview(self, image: Any) -> bytes:
        raise NotImplementedError("These workers show no previews.")


def worker(seconds: float, settings: WorkerSettings, device: Device, index: int, watchdog: Watchdog) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_multiprocessing_parent()
    configure_logs(settings.log_level, settings.log_format)
    asyncio.run(_serve(seconds, settings, device, index, watchdog))


async def _serve(seconds: float, settings: WorkerSettings, device: Device, index: int, watchdog: Watchdog) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    assert settings.redis_url is not None
    store = JobStore.connect(settings.redis_url, settings)
    loop = ClaimLoop(
        identity=WorkerIdentity(f"drill-{index}-{ULID()}", device.name, lambda: ("vgg16",)),
        store=store,
        attempts=Attempts(store, TimedRunner(seconds), settings),
        settings=settings,
        metrics=WorkerMetrics(),
        alive=watchdog.expect_event_loop,
    )
    await loop.serve(stop)
    await store.close()


def main() -> None:
    processes, seconds = int(sys.argv[1]), float(sys.argv[2])
    settings = WorkerSettings()
    configure_logs(settings.log_level, settings.log_format)
    context = fork_server(["benchmarks.fault_drill.claiming_workers"])
    supervisor = Supervisor(partial(worker, seconds), [Device("cpu")] * processes, settings, context)
    with supervisor.signals():
        supervisor.run()


if __name__ == "__main__":
    main()
