from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from processes.child_process import ChildProcess
from tests.wait import wait_until

# This process and its child both ignore SIGTERM. It prints both pids.
_STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    print(os.getpid(), child, flush=True)
while True:
    time.sleep(1)
"""
_OBEDIENT = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("up", flush=True)
signal.pause()
"""


def _started(script: str, log: Path) -> ChildProcess:
    process = ChildProcess("child", [sys.executable, "-c", script], log=log)
    wait_until(lambda: log.read_text().endswith("\n"))
    return process


def _gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_process_ends_by_itself_within_its_grace_time(tmp_path: Path) -> None:
    process = _started(_OBEDIENT, tmp_path / "log")
    assert process.how_it_ended() is None
    process.stop(grace_seconds=30, hurry=lambda: False)
    assert process.how_it_ended() == "exit status 0"


@pytest.mark.parametrize(("grace", "hurry"), [(0.0, False), (600.0, True)], ids=["grace over", "in a hurry"])
def test_a_process_that_does_not_end_is_killed_with_everything_it_started(tmp_path: Path, grace: float, hurry: bool) -> None:
    process = _started(_STUBBORN, tmp_path / "log")
    pids = [int(word) for word in (tmp_path / "log").read_text().split()]
    process.stop(grace, lambda: hurry)
    assert process.how_it_ended() == "killed by SIGKILL"
    wait_until(lambda: all(_gone(pid) for pid in pids))


def test_stopping_what_has_ended_does_nothing(tmp_path: Path) -> None:
    process = _started("print('bye'); raise SystemExit(3)", tmp_path / "log")
    wait_until(process.how_it_ended)
    process.stop(grace_seconds=600, hurry=lambda: False)
    assert process.how_it_ended() == "exit status 3"
