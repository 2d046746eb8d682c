"""A worker process for the tests of the supervisor. Files in the data folder tell it what to do."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from processes.parent_death import end_with_multiprocessing_parent
from workers.settings import WorkerSettings
from workers.supervision.crash_record import CrashRecord
from workers.supervision.device import Device
from workers.supervision.watchdog import Watchdog

TICK = 0.02


def main(settings: WorkerSettings, device: Device, index: int, watchdog: Watchdog, record: CrashRecord) -> None:
    folder = settings.data_dir
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    end_with_multiprocessing_parent()
    record.name_worker(f"obedient-{os.getpid()}")
    record.write(1, "01AT-WORK")
    if not (folder / "never_start").exists():
        watchdog.expect_event_loop(60)
    (folder / f"device-{device.name}-{index}").touch()
    if (folder / "hang_device").exists():
        watchdog.expect_device_call(1, 0.2)
    if (folder / "busy_device").exists():
        watchdog.expect_device_call(0, 60)
        watchdog.expect_device_call(1, 0.1)
        watchdog.device_call_ends(1)
    if (folder / "hang_loop").exists():
        watchdog.expect_event_loop(0.2)
    with (folder / "starts").open("a") as file:
        file.write(f"{os.getpid()}\n")
    if (folder / "die").exists():
        os._exit(3)
    if (folder / "busy_device").exists():
        _wait_for(0.6)  # the supervisor looks several times in this time
        (folder / "busy_seen").touch()
    asked.wait()
    (folder / f"asked-{index}").touch()
    while (folder / "slow_end").exists():
        _wait_for(TICK)
    Path(folder / f"ended-{index}").touch()


def _wait_for(seconds: float) -> None:
    time.sleep(seconds)
