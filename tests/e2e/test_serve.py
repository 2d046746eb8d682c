"""`convscope serve` starts all and ends all in order. It starts a dead Redis again, and ends everything when another process dies."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from tests.wait import wait_until
from tests.workers.tiny import photo

_ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(240)]


class _Serving:
    """A running `convscope serve`, its output and its child processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "models").mkdir()
        (folder / "models" / "torn.keras").write_bytes(b"no zip")
        (folder / "models" / "torn.toml").write_text("title = ")
        self._log = folder / "log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONVSCOPE_")}
        environment |= {"CONVSCOPE_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(_ROOT)}
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "cli.main", "serve", "--port", "0"]
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        wait_until(lambda: "\n  curl " in self.output or self.process.poll() is not None, 120)
        assert self.process.poll() is None, self.output
        found = re.search(r"is ready on (http://127\.0\.0\.1:\d+)", self.output)
        assert found
        self.url = found[1]
        self.children = psutil.Process(self.process.pid).children(recursive=True)

    @property
    def output(self) -> str:
        return self._log.read_text("utf-8", errors="replace")

    def child(self, word: str) -> psutil.Process:
        (found,) = [child for child in psutil.Process(self.process.pid).children() if word in child.cmdline() or word in child.name()]
        return found

    def all_gone(self) -> bool:
        return not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in self.children)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[_Serving]:
    serving = _Serving(tmp_path)
    yield serving
    serving.process.kill()
    serving.process.wait()
    wait_until(serving.all_gone, 60)


def test_the_service_answers_and_everything_ends_in_order(serving: _Serving) -> None:
    with urllib.request.urlopen(f"{serving.url}/readyz", timeout=10) as answer:  # noqa: S310 - loopback
        assert b'"status":"ready"' in answer.read()
    assert "Model 'torn' cannot be used. torn.toml: " in serving.output
    (line,) = re.findall(r"^  (curl .*)$", serving.output, re.MULTILINE)
    assert serving.url in line
    subprocess.run(line, shell=True, cwd=serving.folder, check=True, timeout=60)  # noqa: S602 - the very line that a person pastes
    with Image.open(serving.folder / "grad_cam.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (601, 382))
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(60) == 0
    wait_until(serving.all_gone, 60)  # the fork server ends when its pipe is closed
    order = [serving.output.index(line) for line in ("Application shutdown complete", '"draining"', "convscope has ended.")]
    assert order == sorted(order)


@pytest.mark.parametrize("name", ["api", "worker"])
def test_when_a_process_dies_the_command_says_so_and_ends_the_others(serving: _Serving, name: str) -> None:
    serving.child(name).send_signal(signal.SIGKILL)
    assert serving.process.wait(90) == 1
    assert f"convscope: The {name} process ended by itself" in serving.output
    wait_until(serving.all_gone, 60)


def test_a_dead_redis_is_started_again_and_keeps_what_was_accepted(serving: _Serving) -> None:
    url = f"{serving.url}/v1/images"
    with httpx.Client(timeout=30, trust_env=False) as client:
        kept = client.post(url, files={"image": photo(3)})
        assert kept.status_code == 201, kept.text
        time.sleep(1.1)  # the append-only file is written once a second
        killed = time.monotonic()
        serving.child("redis-server").send_signal(signal.SIGKILL)
        statuses: list[int] = []
        wait_until(lambda: statuses.append(client.get(f"{url}/{kept.json()['id']}").status_code) or statuses[-1] == 200, 60)
        took = time.monotonic() - killed
        assert set(statuses) <= {200, 503}
        assert client.post(url, files={"image": photo(4)}).status_code == 201
    assert serving.process.poll() is None
    assert "Redis ended by itself. convscope starts it again." in serving.output
    sys.stdout.write(f"Redis answered again after {took:.1f} s\n")


def test_a_killed_command_leaves_nothing_behind(serving: _Serving) -> None:
    serving.process.kill()
    serving.process.wait()
    wait_until(serving.all_gone, 60)
