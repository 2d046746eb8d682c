"""The requests that are being answered now, so that a service which shuts down can say for which of them it waits."""

from __future__ import annotations

import time
from collections.abc import Generator, MutableMapping
from contextlib import contextmanager
from typing import Any

from jobstore.records import JobRecord

_JOB = "job"


class OpenRequests:
    """Keeps the requests that have come and are not answered yet, in the order in which they came."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[MutableMapping[str, Any], float]] = {}

    @contextmanager
    def entered(self, scope: MutableMapping[str, Any]) -> Generator[None]:
        """Keep the request of an ASGI scope for the duration of a `with` block."""
        self._open[id(scope)] = (scope, time.monotonic())
        try:
            yield
        finally:
            del self._open[id(scope)]

    def listed(self) -> list[str]:
        """Return a line about each request. Example: `POST /v1/grad_cam for 2.1 s, job 01K5YQZ7T8Y1W4V9N3M2XQJ6RD (grad_cam)`."""
        now = time.monotonic()
        return [_line(scope, now - since) for scope, since in self._open.values()]


def note_job(scope: MutableMapping[str, Any], job: JobRecord) -> None:
    """Note that the request of an ASGI scope is about `job`."""
    scope.setdefault("state", {})[_JOB] = f"job {job.id} ({job.method})"


def _line(scope: MutableMapping[str, Any], seconds: float) -> str:
    job = scope.get("state", {}).get(_JOB)
    return f"{scope['method']} {scope['path'][:200]} for {seconds:.1f} s" + (f", {job}" if job else "")
