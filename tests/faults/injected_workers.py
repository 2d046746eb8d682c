"""Run the supervisor with the workers of `injected.py`: `python -m tests.faults.injected_workers`."""

from __future__ import annotations

import os

from telemetry.logs import configure_logs
from tests.faults.injected import worker
from workers.settings import WorkerSettings
from workers.supervision.device import Device
from workers.supervision.launch import PRELOAD, supervise
from workers.supervision.supervisor import fork_server

if __name__ == "__main__":
    settings = WorkerSettings()
    configure_logs(settings.log_level, settings.log_format)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    supervise(worker, [Device("cpu")], settings, fork_server(PRELOAD))
