from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from processes.parent_death import end_with_multiprocessing_parent
from tests.wait import wait_until

_ROOT = Path(__file__).parents[2]
# The parent starts a child that prints its pid and then waits for a signal.
_PARENT_OF_A_PROGRAM = """
import sys, time
from processes.child_process import ChildProcess
child = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
process = ChildProcess("child", [sys.executable, "-c", child])
time.sleep(600)
"""
_PARENT_OF_A_WORKER = """
import multiprocessing, os, time
from processes.parent_death import end_with_multiprocessing_parent

def work():
    end_with_multiprocessing_parent()
    print(os.getpid(), flush=True)
    time.sleep(600)

if __name__ == "__main__":
    process = multiprocessing.get_context("forkserver").Process(target=work)
    process.start()
    process.join()
"""


def _gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(
            _PARENT_OF_A_PROGRAM,
            marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a death signal"),
            id="a program",
        ),
        pytest.param(_PARENT_OF_A_WORKER, id="a multiprocessing worker"),
    ],
)
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path, program: str) -> None:
    script, log = tmp_path / "parent.py", tmp_path / "log"
    script.write_text(program)
    with log.open("wb") as out:
        parent = subprocess.Popen([sys.executable, script], stdout=out, env={**os.environ, "PYTHONPATH": str(_ROOT)})
    wait_until(lambda: log.read_text().endswith("\n"))
    pid = int(log.read_text())
    assert not _gone(pid)
    parent.kill()
    parent.wait()
    wait_until(lambda: _gone(pid))


def test_a_process_without_a_multiprocessing_parent_is_told_so() -> None:
    with pytest.raises(RuntimeError, match="was not started through multiprocessing"):
        end_with_multiprocessing_parent()
