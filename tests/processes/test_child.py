from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cli.failure import CommandFailed
from cli.interrupts import Interrupts, within
from processes.child import Part
from tests.wait import wait_until

# Ignores SIGTERM, and has a child that does so too; prints both pids.
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


def _part(script: str, log: Path) -> Part:
    part = Part("part", [sys.executable, "-c", script], log=log)
    wait_until(lambda: log.read_text().endswith("\n"))
    return part


def _gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_part_ends_by_itself_within_its_grace(tmp_path: Path) -> None:
    part = _part(_OBEDIENT, tmp_path / "log")
    assert part.ended() is None
    part.stop(grace=30, hurry=lambda: False)
    assert part.ended() == "exit status 0"


@pytest.mark.parametrize(("grace", "hurry"), [(0.0, False), (600.0, True)], ids=["grace over", "in a hurry"])
def test_a_part_that_does_not_end_is_killed_with_what_it_started(tmp_path: Path, grace: float, hurry: bool) -> None:
    part = _part(_STUBBORN, tmp_path / "log")
    pids = [int(word) for word in (tmp_path / "log").read_text().split()]
    part.stop(grace, lambda: hurry)
    assert part.ended() == "killed by SIGKILL"
    wait_until(lambda: all(_gone(pid) for pid in pids))


def test_stopping_what_has_ended_does_nothing(tmp_path: Path) -> None:
    part = _part("print('bye'); raise SystemExit(3)", tmp_path / "log")
    wait_until(part.ended)
    part.stop(grace=600, hurry=lambda: False)
    assert part.ended() == "exit status 3"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's death signal is Linux's")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    child = f"""
import os, signal, sys
sys.path.insert(0, {os.fspath(Path.cwd())!r})
from cli.processes import end_with_parent
end_with_parent(os.getppid())
print(os.getpid(), flush=True)
signal.pause()
"""
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-c", parent], stdout=out)
    wait_until(lambda: log.read_text().endswith("\n"))
    pid = int(log.read_text())
    process.kill()
    process.wait()
    wait_until(lambda: _gone(pid))


def test_interrupts_are_counted_and_then_left_as_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts() as interrupts:
        assert not interrupts.hurry()
        signal.raise_signal(signal.SIGTERM)
        assert interrupts.count == 1
        assert not interrupts.hurry()
        signal.raise_signal(signal.SIGINT)
        assert interrupts.hurry()
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_interrupt_raises_once_where_it_is_asked_to() -> None:
    with Interrupts() as interrupts:
        with pytest.raises(CommandFailed, match="interrupted"), interrupts.raising():
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert interrupts.count == 2


def test_a_block_that_takes_too_long_is_given_up() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(CommandFailed, match="waiting did not end within 1 s"), within(1, "waiting"):
        signal.pause()
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.alarm(0) == 0
