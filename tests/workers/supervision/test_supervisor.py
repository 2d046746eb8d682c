"""The supervisor with small worker processes. Files in a folder tell them to die, to hang or to drain slowly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.wait import wait_until
from tests.workers import obedient
from workers.settings import WorkerSettings
from workers.supervision.crash_record import DeadWorker
from workers.supervision.device import Device
from workers.supervision.supervisor import Supervisor, fork_server, restart_pause

_dead: list[DeadWorker] = []


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Supervisor]]:
    _dead.clear()
    running: list[tuple[Supervisor, threading.Thread]] = []

    def start(count: int = 1, **changes: object) -> Supervisor:
        settings = WorkerSettings.model_validate({"data_dir": tmp_path, "worker_drain": 20.0, "device_threads": 2, **changes})
        cpus = [Device("cpu", index) for index in range(count)]
        supervisor = Supervisor(obedient.main, cpus, settings, fork_server(["tests.workers.obedient"]), on_death=_dead.append)
        thread = threading.Thread(target=supervisor.run)
        thread.start()
        running.append((supervisor, thread))
        return supervisor

    yield start
    for supervisor, thread in running:
        if thread.is_alive():
            supervisor.stop()
            supervisor.stop()
        thread.join(30)
        assert not thread.is_alive()


def starts(folder: Path) -> list[int]:
    """Return the pids of the processes started so far, oldest first."""
    path = folder / "starts"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def test_a_process_that_dies_is_replaced(supervise, tmp_path):
    supervisor = supervise()
    wait_until(lambda: len(starts(tmp_path)) == 1)
    first = starts(tmp_path)[0]
    assert supervisor.pids == (first,)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(starts(tmp_path)) == 2)
    wait_until(lambda: supervisor.pids == (starts(tmp_path)[1],))
    assert not psutil.pid_exists(first)
    assert _dead == [DeadWorker(f"obedient-{first}", ("01AT-WORK",))]


def test_each_device_has_its_own_process(supervise, tmp_path):
    supervisor = supervise(count=3)
    wait_until(lambda: len(starts(tmp_path)) == 3)
    assert sorted(starts(tmp_path)) == sorted(pid for pid in supervisor.pids if pid is not None)
    assert {path.name for path in tmp_path.glob("device-*")} == {"device-CPU:0-0", "device-CPU:1-1", "device-CPU:2-2"}


@pytest.mark.parametrize("how", ["hang_device", "hang_loop", "never_start"])
def test_a_process_that_hangs_is_killed_and_replaced(supervise, tmp_path, how):
    (tmp_path / how).touch()
    supervise(startup_timeout=2.0 if how == "never_start" else 30.0)
    wait_until(lambda: len(starts(tmp_path)) == 1)
    hung = starts(tmp_path)[0]
    (tmp_path / how).unlink()
    wait_until(lambda: len(starts(tmp_path)) == 2)
    wait_until(lambda: not psutil.pid_exists(hung))


def test_a_long_device_call_before_its_deadline_is_no_hang(supervise, tmp_path):
    (tmp_path / "busy_device").touch()
    supervise()
    wait_until((tmp_path / "busy_seen").exists)
    assert len(starts(tmp_path)) == 1


def test_a_process_that_dies_at_once_is_replaced_each_time(supervise, tmp_path):
    (tmp_path / "die").touch()
    supervise()
    wait_until(lambda: len(starts(tmp_path)) >= 4)


def test_early_deaths_are_replaced_ever_more_slowly():
    assert [restart_pause(deaths) for deaths in range(6)] == [0, 0, 0.5, 1, 2, 4]
    assert restart_pause(100) == 30


def test_stopping_drains_and_leaves_nothing(supervise, tmp_path):
    (tmp_path / "slow_end").touch()
    supervisor = supervise(count=2)
    wait_until(lambda: len(starts(tmp_path)) == 2)
    supervisor.stop()
    wait_until(lambda: len(list(tmp_path.glob("asked-*"))) == 2)
    assert all(psutil.pid_exists(pid) for pid in starts(tmp_path))
    (tmp_path / "slow_end").unlink()
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in starts(tmp_path)))
    assert len(list(tmp_path.glob("ended-*"))) == 2
    assert len(starts(tmp_path)) == 2
    assert _dead == []  # a process that ends by itself holds nothing


def test_a_second_stop_does_not_wait(supervise, tmp_path):
    (tmp_path / "slow_end").touch()
    supervisor = supervise()
    wait_until(lambda: len(starts(tmp_path)) == 1)
    supervisor.stop()
    wait_until(lambda: len(list(tmp_path.glob("asked-*"))) == 1)
    supervisor.stop()
    wait_until(lambda: not psutil.pid_exists(starts(tmp_path)[0]))
    assert not list(tmp_path.glob("ended-*"))


@pytest.mark.parametrize(("number", "drained"), [(signal.SIGTERM, True), (signal.SIGKILL, False)])
def test_no_worker_outlives_its_supervisor(tmp_path, number, drained):
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from tests.workers import obedient
        from workers.supervision.device import Device
        from workers.settings import WorkerSettings
        from workers.supervision.supervisor import Supervisor, fork_server

        if __name__ == "__main__":
            settings = WorkerSettings(data_dir=Path(sys.argv[1]))
            supervisor = Supervisor(obedient.main, [Device("cpu")], settings, fork_server([]), on_death=print)
            with supervisor.signals():
                supervisor.run()
    """)
    script = tmp_path / "program.py"
    script.write_text(program)
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, script, tmp_path], env={**os.environ, "PYTHONPATH": str(root)}) as process:
        try:
            wait_until(lambda: len(starts(tmp_path)) == 1)
            process.send_signal(number)
            assert process.wait(30) == (0 if drained else -signal.SIGKILL)
        finally:
            process.kill()
    wait_until(lambda: not psutil.pid_exists(starts(tmp_path)[0]))
    assert bool(list(tmp_path.glob("ended-*"))) is drained
