"""Run one worker process on each device: start it, watch it, replace it when it dies or hangs, and drain it at the end.

A fork server imports TensorFlow without initialising it, and forks the worker processes, so a replacement is ready in about one
second. The supervisor itself does not import TensorFlow.
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
from workers.supervision.crash_record import CrashRecord, DeadWorker
from workers.supervision.device import Device
from workers.supervision.watchdog import Watchdog

_LOOK_SECONDS = 0.25
_KILL_MARGIN_SECONDS = 8.0  # after its drain time, a process needs time to give jobs back and to end its threads
_EARLY_DEATH_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 30.0

WorkerMain = Callable[[WorkerSettings, Device, int, Watchdog, CrashRecord], None]


def fork_server(preload: Sequence[str]) -> ForkServerContext:
    """Return a multiprocessing context whose processes are forked from a server that has imported the modules in `preload`.

    A process has only one fork server: the first call decides what it imports.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


class Supervisor:
    """Keep `main(settings, device, index, watchdog, record)` running in one process for each device.

    Args:
        main: the function that a worker process runs. `index` counts the processes from 0.
        devices: the devices, one for each process.
        settings: the workers' settings.
        context: the fork server's context, from `fork_server`.
        on_death: is told what the record of a worker process says that has died. It must return soon.
    """

    def __init__(
        self,
        main: WorkerMain,
        devices: Sequence[Device],
        settings: WorkerSettings,
        context: ForkServerContext,
        *,
        on_death: Callable[[DeadWorker], None],
    ) -> None:
        self._processes = [
            _DeviceProcess(main, device, index, settings, context, on_death=on_death) for index, device in enumerate(devices)
        ]
        self._drain = settings.worker_drain + _KILL_MARGIN_SECONDS
        self._stops = 0
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._log = get_logger(__name__)

    @property
    def pids(self) -> tuple[int | None, ...]:
        """The ids of the worker processes, one for each device. An id is None while no process runs on the device."""
        return tuple(process.pid for process in self._processes)

    def stop(self) -> None:
        """Drain and end the worker processes. A second call kills them. Any thread and any signal handler may call this."""
        self._stops += 1
        with contextlib.suppress(OSError):  # `run` has returned, or it has not read earlier wake-ups yet
            self._waker.send(b"!")

    @contextlib.contextmanager
    def signals(self) -> Generator[None]:
        """Call `stop` for each SIGTERM and SIGINT inside the `with` block."""

        def handle(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self) -> None:
        """Run until `stop` is called. No worker process is left when this returns."""
        try:
            while not self._stops:
                for process in self._processes:
                    process.check()
                self._wait(_LOOK_SECONDS)
            self._log.info("stopping")
            for process in self._processes:
                process.ask_to_end()
            deadline = time.monotonic() + self._drain
            while self._stops == 1 and time.monotonic() < deadline and any(process.running for process in self._processes):
                self._wait(_LOOK_SECONDS)
        finally:
            for process in self._processes:
                process.end()
            self._woken.close()
            self._waker.close()
        self._log.info("stopped")

    def _wait(self, seconds: float) -> None:
        sentinels = [process.sentinel for process in self._processes if process.sentinel is not None]
        if self._woken in wait([*sentinels, self._woken], seconds):
            self._woken.recv(1024)


def restart_pause(early_deaths: int) -> float:
    """Return the seconds to wait before the next start, after so many processes in a row died early.

    The first early death causes no wait. The wait then doubles from 0.5 s with each early death, up to 30 s.
    """
    return min(_LONGEST_PAUSE_SECONDS, 0.25 * 2.0**early_deaths / 2) if early_deaths > 1 else 0.0


class _DeviceProcess:
    """The worker process of one device, and its replacements."""

    def __init__(
        self,
        main: WorkerMain,
        device: Device,
        index: int,
        settings: WorkerSettings,
        context: ForkServerContext,
        *,
        on_death: Callable[[DeadWorker], None],
    ) -> None:
        self._main, self._device, self._index, self._settings, self._context = main, device, index, settings, context
        self._on_death = on_death
        self._process: ForkServerProcess | None = None
        self._watchdog: Watchdog | None = None
        self._record: CrashRecord | None = None
        self._started_at = 0.0
        self._next_start = 0.0
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

    def check(self) -> None:
        """Start the process, replace it if it has died, or kill it if it hangs."""
        if self._process is None:
            if time.monotonic() >= self._next_start:
                self._start()
        elif not self._process.is_alive():
            self._clean_up_after(self._process)
        elif self._watchdog is not None and (part := self._watchdog.overdue()):
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
        self._report_death(self._process)
        self._process.close()
        self._process = None

    def _start(self) -> None:
        threads = self._settings.device_threads
        self._watchdog = watchdog = Watchdog(self._context, threads)
        watchdog.expect_event_loop(self._settings.startup_timeout)
        self._record = record = CrashRecord(self._context, _most_held(self._settings))
        self._process = self._context.Process(
            target=self._main, args=(self._settings, self._device, self._index, watchdog, record), name=f"worker-{self._device.name}"
        )
        self._process.start()
        self._started_at = time.monotonic()
        self._log.info("worker started", pid=self._process.pid)

    def _clean_up_after(self, process: ForkServerProcess) -> None:
        lived = time.monotonic() - self._started_at
        self._early_deaths = self._early_deaths + 1 if lived < _EARLY_DEATH_SECONDS else 0
        pause = restart_pause(self._early_deaths)
        self._next_start = time.monotonic() + pause
        self._log.error("worker ended", pid=process.pid, exit_code=process.exitcode, lived=round(lived, 1), replaced_in=pause)
        self._report_death(process)
        # If only the fork server has died, the worker still runs. Closing ends it, because it sees its parent's end of a pipe close.
        self._process = None
        process.close()

    def _report_death(self, process: ForkServerProcess) -> None:
        """Tell what the process worked on. One that has ended by itself holds nothing."""
        if process.exitcode != 0 and self._record is not None and (dead := self._record.read()) is not None:
            self._on_death(dead)
        self._record = None


def _most_held(settings: WorkerSettings) -> int:
    """Return a number of executions that a worker never holds. It may claim all that it has room for while others begin to load."""
    return 2 * (settings.fast_in_flight + settings.slow_in_flight + settings.loading_in_flight)
