"""One worker process a device: started, watched, replaced when it dies or hangs, drained at the end.

Processes are forked from a server that has imported TensorFlow and initialised nothing of it, so that a replacement is up in
about a second. The supervisor itself imports none of it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import socket
import time
from collections.abc import Callable, Generator, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from types import FrameType

from telemetry.logs import get_logger
from workers.settings import WorkerSettings
from workers.supervision.device import Device
from workers.supervision.watchdog import Watchdog

LOOK_SECONDS = 0.25
KILL_GRACE_SECONDS = 8.0  # beyond the drain time, for giving jobs back and ending threads
EARLY_DEATH_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 30.0

Target = Callable[[WorkerSettings, Device, int, Watchdog], None]


def fork_server(preload: Sequence[str]) -> ForkServerContext:
    """A context whose processes are forked from a server that has imported `preload`. There is one server a process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


class Supervisor:
    """Keeps `target(settings, device, index, watchdog)` running in a process for each device."""

    def __init__(self, target: Target, devices: Sequence[Device], settings: WorkerSettings, context: ForkServerContext) -> None:
        self._slots = [_DeviceProcess(target, device, index, settings, context) for index, device in enumerate(devices)]
        self._drain = settings.worker_drain + KILL_GRACE_SECONDS
        self._stops = 0
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._log = get_logger(__name__)

    @property
    def pids(self) -> tuple[int | None, ...]:
        """Of the worker processes, one a device; None between a death and the replacement."""
        return tuple(slot.pid for slot in self._slots)

    def stop(self) -> None:
        """Drains; called again, kills. From any thread or a signal handler."""
        self._stops += 1
        with contextlib.suppress(OSError):  # it has ended, or has many wake-ups unread
            self._waker.send(b"!")

    @contextlib.contextmanager
    def signals(self) -> Generator[None]:
        """SIGTERM and SIGINT drain, a second one kills."""

        def handle(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self) -> None:
        """Until `stop`; no worker process is left when it returns."""
        try:
            while not self._stops:
                for slot in self._slots:
                    slot.tend()
                self._wait(LOOK_SECONDS)
            self._log.info("stopping")
            for slot in self._slots:
                slot.ask_to_end()
            deadline = time.monotonic() + self._drain
            while self._stops == 1 and time.monotonic() < deadline and any(slot.running for slot in self._slots):
                self._wait(LOOK_SECONDS)
        finally:
            for slot in self._slots:
                slot.end()
            self._woken.close()
            self._waker.close()
        self._log.info("stopped")

    def _wait(self, seconds: float) -> None:
        sentinels = [slot.sentinel for slot in self._slots if slot.sentinel is not None]
        if self._woken in wait([*sentinels, self._woken], seconds):
            self._woken.recv(1024)


def restart_pause(early_deaths: int) -> float:
    """Seconds before the next start after so many processes in a row died young: none at first, then doubling up to a bound."""
    return min(LONGEST_PAUSE_SECONDS, 0.25 * 2.0**early_deaths / 2) if early_deaths > 1 else 0.0


class _DeviceProcess:
    """The process of one device."""

    def __init__(self, target: Target, device: Device, index: int, settings: WorkerSettings, context: ForkServerContext) -> None:
        self._target, self._device, self._index, self._settings, self._context = target, device, index, settings, context
        self._process: ForkServerProcess | None = None
        self._vitals: Watchdog | None = None
        self._started = 0.0
        self._start_at = 0.0
        self._early_deaths = 0
        self._log = get_logger(__name__).bind(device=device.name)

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    @property
    def running(self) -> bool:
        return self.pid is not None

    @property
    def sentinel(self) -> int | None:
        return self._process.sentinel if self._process is not None else None

    def tend(self) -> None:
        """Starts, replaces or kills the process, whichever is due."""
        if self._process is None:
            if time.monotonic() >= self._start_at:
                self._start()
        elif not self._process.is_alive():
            self._bury(self._process)
        elif self._vitals is not None and (part := self._vitals.overdue()):
            self._log.error("worker hangs: killed", pid=self._process.pid, part=part)
            self._process.kill()

    def ask_to_end(self) -> None:
        if self._process is not None and self._process.is_alive():
            self._process.terminate()

    def end(self) -> None:
        if self._process is None:
            return
        if self._process.is_alive():
            self._log.error("worker did not end: killed", pid=self._process.pid)
            self._process.kill()
        self._process.join()
        self._process.close()
        self._process = None

    def _start(self) -> None:
        threads = self._settings.device_threads
        self._vitals = watchdog = Watchdog(self._context, threads)
        watchdog.expect_event_loop(self._settings.startup_timeout)
        self._process = self._context.Process(
            target=self._target, args=(self._settings, self._device, self._index, watchdog), name=f"worker-{self._device.name}"
        )
        self._process.start()
        self._started = time.monotonic()
        self._log.info("worker started", pid=self._process.pid)

    def _bury(self, process: ForkServerProcess) -> None:
        lived = time.monotonic() - self._started
        self._early_deaths = self._early_deaths + 1 if lived < EARLY_DEATH_SECONDS else 0
        pause = restart_pause(self._early_deaths)
        self._start_at = time.monotonic() + pause
        self._log.error("worker ended", pid=process.pid, exit_code=process.exitcode, lived=round(lived, 1), replaced_in=pause)
        # Closing ends the worker even where only the fork server has died: it sees its parent's end of a pipe close.
        self._process = None
        process.close()
