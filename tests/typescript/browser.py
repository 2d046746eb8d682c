"""Run a page in headless Chromium, and give it what it asks for."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking")


@dataclass
class PageServer:
    """A server of one page's files on loopback. `outcomes` holds what the page has posted."""

    files: Mapping[str, tuple[str, bytes]]
    outcomes: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            thread.join()

    def close(self) -> None:
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, page: PageServer, *arguments: Any) -> None:
        self._page = page
        super().__init__(*arguments)

    def do_GET(self) -> None:
        media_type, content = self._page.files.get(self.path, ("text/plain", b""))
        self.send_response(200 if self.path in self._page.files else 404)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self._page.outcomes.put(json.loads(content))

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


def outcomes_in_chromium(page: PageServer, folder: Path, seconds: float) -> dict[str, Any]:
    """Open the page in Chromium and return what it posts.

    Raises:
        AssertionError: Chromium ends before, or the page posts nothing in time. The message has Chromium's log.
    """
    assert CHROMIUM, "Chromium is not installed"
    with (folder / "chromium.log").open("w") as log:
        process = subprocess.Popen(
            [CHROMIUM, *_FLAGS, f"--user-data-dir={folder / 'profile'}", page.url], stdout=log, stderr=log, start_new_session=True
        )
        try:
            return page.outcomes.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError((folder / "chromium.log").read_text("utf-8", errors="replace")[-5000:]) from None
        finally:
            process.terminate()
            process.wait(20)
