"""Child processes: started in a group of their own, ended gently, then by force."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2)


class Part:
    """A child process that a terminal's Ctrl-C does not reach: it ends when we say so.

    `log` takes its stdout and stderr; without one it shares ours.
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
            )
        finally:
            if stream:
                stream.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> str | None:
        """How it ended, in words; None while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

    def stop(self, grace: float, hurry: Callable[[], bool]) -> None:
        """SIGTERM; after `grace` seconds, or when in a hurry, SIGKILL to it and to what it started."""
        if self._process.poll() is None:
            self._process.terminate()
        deadline = time.monotonic() + grace
        while self._process.poll() is None and time.monotonic() < deadline and not hurry():
            time.sleep(0.05)
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def end_with_parent(parent: int) -> None:
    """Asks the kernel for a SIGTERM when `parent` dies, so that a killed `convscope serve` leaves nothing behind (Linux)."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
