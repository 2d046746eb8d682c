"""A child process that is started in a process group of its own, and is ended first gently and then by force."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from processes.parent_death import death_signal_setter

_POLL_SECONDS = 0.05


class ChildProcess:
    """A running program that a terminal's Ctrl-C does not reach; the code that started it decides when it ends.

    On Linux the program also ends when the thread that started it ends. Start it from the main thread.

    Args:
        name: what messages call the process.
        command: the program and its arguments.
        environment: the program's environment. If it is None, the program gets the environment of this process.
        log: the file that gets stdout and stderr. If it is None, the program writes to the stdout and stderr of this process.
        pass_fds: file descriptors that stay open in the program.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.name = name
        self._asked = False
        stream = log.open("wb") if log else None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                command,
                env=None if environment is None else dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT if stream else None,
                start_new_session=True,
                pass_fds=pass_fds,
                preexec_fn=death_signal_setter(),  # noqa: PLW1509 - it takes no lock, see there
            )
        finally:
            if stream:
                stream.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def how_it_ended(self) -> str | None:
        """Return in words how the process ended, for example "exit status 1", or None while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

    def ask_to_end(self) -> None:
        """Send SIGTERM and return at once. Do nothing if the process has ended or was asked before: a second signal means haste."""
        if self.running and not self._asked:
            self._asked = True
            self._process.terminate()

    def stop(self, grace_seconds: float, hurry: Callable[[], bool] = lambda: False) -> None:
        """Send SIGTERM; kill the process and everything it started if it still runs after `grace_seconds` or when `hurry()` is true.

        Return when the process has ended. Do nothing if it had ended before.
        """
        self.ask_to_end()
        deadline = time.monotonic() + grace_seconds
        while self.running and time.monotonic() < deadline and not hurry():
            self._wait_briefly()
        self.kill()

    def kill(self) -> None:
        """Send SIGKILL to the process and everything it started. Do nothing if the process has ended."""
        if self.running:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _wait_briefly(self) -> None:
        try:
            self._process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            return
