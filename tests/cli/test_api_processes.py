"""Several processes of the service share one port, one set of counters and one end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from tests.wait import wait_until

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parents[2]


class _Service:
    """`convscope api` with two processes on a free loopback port."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        self._log = folder / "log"
        variables = {"REDIS_URL": redis_url, "DATA_DIR": str(folder), "API_PROCESSES": "2"}
        environment = os.environ | {f"CONVSCOPE_{name}": value for name, value in variables.items()} | {"PYTHONPATH": str(_ROOT)}
        with socket.create_server(("127.0.0.1", 0)) as listener, self._log.open("wb") as log:
            self.address: tuple[str, int] = listener.getsockname()
            command = [sys.executable, "-m", "cli.main", "api", "--fd", str(listener.fileno())]
            self.process = subprocess.Popen(command, pass_fds=[listener.fileno()], env=environment, cwd=folder, stdout=log, stderr=log)
        self.url = f"http://127.0.0.1:{self.address[1]}"

    @property
    def output(self) -> str:
        return self._log.read_text("utf-8", errors="replace")

    def ask(self, path: str) -> httpx.Response:
        """Send one request on a connection of its own, so that any of the processes may get it."""
        return httpx.get(self.url + path, timeout=30, trust_env=False)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def up(self, count: int) -> bool:
        return self.output.count("Application startup complete") >= count

    def answered(self) -> float:
        """Return how often `/v1/methods` was answered, as whichever process says that is asked."""
        found = re.search(
            r'convscope_http_requests_total\{method="GET",route="/v1/methods",status="200"\} (\S+)', self.ask("/metrics").text
        )
        return float(found[1]) if found else 0.0


@pytest.fixture
def service(redis_url: str, tmp_path: Path) -> Iterator[_Service]:
    service = _Service(redis_url, tmp_path)
    wait_until(lambda: service.up(2) or service.process.poll() is not None, 90)
    assert service.process.poll() is None, service.output
    yield service
    if service.process.poll() is None:
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(60)


def test_each_process_answers_they_count_together_and_are_replaced(service: _Service) -> None:
    def ask(times: int) -> None:
        for _ in range(times):
            assert service.ask("/v1/methods").status_code == 200

    ask(30)
    wait_until(lambda: service.answered() == 30)
    assert [service.answered() for _ in range(10)] == [30] * 10
    first, second = service.children()
    for ended, up in ((first, 3), (second, 4)):
        ended.kill()
        ask(10)  # the process that is left answers alone
        wait_until(lambda up=up: service.up(up), 90)
    assert len(service.children()) == 2
    assert not {first, second} & set(service.children())
    wait_until(lambda: service.answered() == 50)
    requests = [entry for entry in map(json.loads, re.findall(r"^{.*}$", service.output, re.MULTILINE)) if entry["event"] == "request"]
    assert {entry["process"] for entry in requests} == {0, 1}


def test_all_processes_drain_at_the_first_signal_and_end(service: _Service) -> None:
    with ExitStack() as clients:
        for _ in range(8):
            client = clients.enter_context(httpx.Client(base_url=service.url, trust_env=False))
            assert client.get("/livez").status_code == 200
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0
    assert service.output.count("Application shutdown complete") == 2
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(service.address, 5)


def test_a_second_signal_ends_them_at_once(service: _Service) -> None:
    slow = socket.create_connection(service.address, 5)
    slow.sendall(
        b"POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000\r\n\r\n--b\r\n"
    )
    wait_until(lambda: service.answered() == 0)
    service.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "waiting for requests" in service.output)
    threading.Timer(0.1, service.process.send_signal, [signal.SIGTERM]).start()
    assert service.process.wait(15) == 0
    slow.close()


def test_a_service_that_cannot_start_says_so_and_ends(redis_url: str, tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text("[vgg16\n")
    service = _Service(redis_url, tmp_path)
    assert service.process.wait(90) == 1
    assert "convscope: The models cannot be used: models.toml: " in service.output
    assert "failed (exit status 1)" in service.output
