"""Downloads of weights keep to their limits, and only one process of the machine downloads at a time."""

from __future__ import annotations

import http.server
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import pytest
import structlog

from schemas.errors import ModelLoadFailed, ModelLoadInterrupted
from workers.models.limits import ModelLimits
from workers.models.weights import downloads


def test_one_process_downloads_at_a_time() -> None:
    entered, order = threading.Event(), []

    def second() -> None:
        entered.wait(10)
        with downloads.one_at_a_time("test"):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with downloads.one_at_a_time("test"):
        entered.set()
        thread.join(0.2)  # the thread cannot end while the lock is held
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


class WeightsHandler(http.server.BaseHTTPRequestHandler):
    """Serves `/whole` at once, `/unsized` without a length, and `/slow` one byte after the other."""

    def do_GET(self) -> None:
        self.send_response(200)
        if "unsized" not in self.path:
            self.send_header("Content-Length", "5000")
        self.end_headers()
        try:
            for _ in range(5000 if "slow" in self.path else 1):
                self.wfile.write(b"w" if "slow" in self.path else bytes(5000))
                if "slow" in self.path:
                    time.sleep(0.02)
        except OSError:
            pass  # the client has left

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(urllib.request, "_opener", None)  # the test installs one
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), WeightsHandler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def get_file(address: str, name: str, folder: Path, **limits: Any) -> Path:
    """Download as `keras.applications` does."""
    downloads.bound_downloads(ModelLimits(**limits))
    return Path(keras.utils.get_file(name, f"{address}/{name}", cache_dir=folder))


def test_a_download_within_its_limits_is_whole_and_logged(address: str, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        for name in ("whole.h5", "unsized.h5"):
            assert get_file(address, name, tmp_path, max_download_bytes=5000).read_bytes() == bytes(5000)
    assert [(each["event"], each["file"], each["bytes"], each["total"]) for each in logs] == [
        ("downloading weights", "whole.h5", 5000, 5000),
        ("downloading weights", "unsized.h5", 5000, None),
    ]


@pytest.mark.parametrize("name", ["whole.h5", "unsized.h5"])
def test_a_file_that_is_too_large_is_refused_and_removed(address: str, tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelLoadFailed, match=f"'{name}' has at least .* at most 4999 are allowed") as refused:
        get_file(address, name, tmp_path, max_download_bytes=4999)
    assert not refused.value.retryable
    assert not list(tmp_path.rglob("*.h5"))


def test_a_download_that_takes_too_long_is_stopped(address: str, tmp_path: Path) -> None:
    """The server sends a byte every 20 ms, so it is never silent."""
    with pytest.raises(ModelLoadInterrupted, match=r"stopped after 0\.3 s") as stopped:
        get_file(address, "slow.h5", tmp_path, download_timeout=0.3)
    assert stopped.value.retryable
    assert not list(tmp_path.rglob("*.h5"))


def test_progress_is_logged_in_between(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PROGRESS_SECONDS", 0.1)
    with structlog.testing.capture_logs() as logs, pytest.raises(ModelLoadInterrupted):
        get_file(address, "slow.h5", tmp_path, download_timeout=0.5)
    so_far = [each["bytes"] for each in logs]
    assert 1 <= len(so_far) <= 5
    assert so_far == sorted(so_far)
    assert 0 < so_far[0] < 5000
