"""Run several processes of the HTTP service on one listening socket, for machines with many cores."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

from cli.failure import CommandFailed
from cli.interrupts import Interrupts
from cli.stack import convscope_command
from processes.child_process import ChildProcess
from service.settings import ServiceSettings
from telemetry.logs import get_logger

_LOOK_SECONDS = 0.2
_ENDED_WELL = "exit status 0"
_KILL_MARGIN_SECONDS = 5.0


class ApiProcesses:
    """The processes, each of which is a `convscope api` that gets the socket.

    They count their metrics in files of one folder, so that `/metrics` of any of them has the sum over all.

    Args:
        listener: the socket on which all of them accept connections.
        settings: the service's settings.
        redis_url: the Redis that they use.
    """

    def __init__(self, listener: socket.socket, settings: ServiceSettings, redis_url: str) -> None:
        self._listener, self._settings, self._redis_url = listener, settings, redis_url
        self._log = get_logger(__name__)

    def run(self) -> None:
        """Run until SIGTERM or SIGINT, then let all processes drain at the same time. A second signal kills them.

        A process that is killed, or asked by somebody else to end, is replaced.

        Raises:
            CommandFailed: a process failed, for example because a setting is wrong. It would fail again.
        """
        with ExitStack() as ending:
            interrupts = ending.enter_context(Interrupts())
            metrics = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="convscope-metrics-")))
            processes = {number: self._start(number, metrics) for number in range(self._settings.api_processes)}
            ending.callback(lambda: self._stop(processes.values(), interrupts))
            while not interrupts.count:
                for number, process in processes.items():
                    if how := process.how_it_ended():
                        self._log.error("service process ended", process=number, how=how)
                        if how != _ENDED_WELL and not how.startswith("killed"):
                            raise CommandFailed(f"Process {number} of the service failed ({how}). Its message stands above.")
                        processes[number] = self._start(number, metrics)
                time.sleep(_LOOK_SECONDS)

    def _start(self, number: int, metrics: Path) -> ChildProcess:
        descriptor = self._listener.fileno()
        # The environment of a process decides, when prometheus_client is imported, that it counts in files.
        own = {"CONVSCOPE_REDIS_URL": self._redis_url, "CONVSCOPE_AUTH": self._settings.auth or "required"}
        environment = {**os.environ, **own, "PROMETHEUS_MULTIPROC_DIR": str(metrics)}
        command = convscope_command("api", "--fd", str(descriptor), "--process", str(number))
        return ChildProcess(f"api {number}", command, environment=environment, pass_fds=[descriptor])

    def _stop(self, processes: Collection[ChildProcess], interrupts: Interrupts) -> None:
        self._listener.close()
        for process in processes:
            process.ask_to_end()
        deadline = time.monotonic() + self._settings.drain_delay + self._settings.drain + _KILL_MARGIN_SECONDS
        for process in processes:
            process.stop(max(0.0, deadline - time.monotonic()), interrupts.hurry)
