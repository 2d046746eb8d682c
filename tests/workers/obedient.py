"""A worker process for the supervisor's tests: what it does is said by files in the data folder."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from processes.parent import end_with_parent
from workers.settings import Settings
from workers.supervision.device import Device
from workers.supervision.watchdog import Vitals

TICK = 0.02


def main(settings: Settings, device: Device, index: int, vitals: Vitals) -> None:
    folder = settings.data_dir
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    end_with_parent()
    if not (folder / "never_start").exists():
        vitals.loop_back_within(60)
    (folder / f"device-{device.name}-{index}").touch()
    if (folder / "hang_device").exists():
        vitals.enter(1, 0.2)
    if (folder / "busy_device").exists():
        vitals.enter(0, 60)
        vitals.enter(1, 0.1)
        vitals.leave(1)
    if (folder / "hang_loop").exists():
        vitals.loop_back_within(0.2)
    with (folder / "starts").open("a") as file:
        file.write(f"{os.getpid()}\n")
    if (folder / "die").exists():
        os._exit(3)
    if (folder / "busy_device").exists():
        _wait_for(0.6)  # several looks of the supervisor
        (folder / "busy_seen").touch()
    asked.wait()
    (folder / f"asked-{index}").touch()
    while (folder / "slow_end").exists():
        _wait_for(TICK)
    Path(folder / f"ended-{index}").touch()


def _wait_for(seconds: float) -> None:
    time.sleep(seconds)
