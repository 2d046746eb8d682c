"""Run the application in uvicorn, and tell it about a signal before uvicorn shuts down."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from service.bounded_protocol import bounded_protocol
from service.dependencies import Services, services_of
from service.open_connections import connection_limits, raise_descriptor_limit
from service.settings import ServiceSettings

_FIRST_REPORT_SECONDS, _REPORT_SECONDS = 0.3, 5.0
_MOST_REPORTED = 20  # requests in one line of the log

_log = structlog.get_logger(__name__)


class DrainingServer(uvicorn.Server):
    """uvicorn, with a drain that begins at the first signal.

    Uvicorn's own shutdown waits for open streams before it tells the application. Here the drain begins first, so that streams end,
    waits are cut short and `/readyz` says that the service is draining. Then the log says which requests the service waits for, and for
    how long at most. A second signal ends the delay and the waiting at once.
    """

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._drain = services.drain
        self._open_requests = services.open_requests
        self._delay = services.settings.drain_delay
        self._signals = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        assert self._loop is not None  # noqa: S101 - uvicorn installs this handler while `serve` runs
        self._signals += 1
        self._loop.call_soon_threadsafe(self._drain.begin)
        if self._signals == 1 and self._delay > 0:
            self._loop.call_soon_threadsafe(self._loop.call_later, self._delay, super().handle_exit, sig, frame)
            return
        self.force_exit = self._signals > 1
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        reporting = asyncio.create_task(self._report_waiting())
        try:
            await super().shutdown(sockets)
        finally:
            reporting.cancel()

    async def _report_waiting(self) -> None:
        """Log every few seconds which requests are still open. Those that the drain ends do so within the first pause."""
        deadline = time.monotonic() + (self.config.timeout_graceful_shutdown or 0)
        await asyncio.sleep(_FIRST_REPORT_SECONDS)
        while requests := self._open_requests.listed():
            seconds = max(0.0, round(deadline - time.monotonic(), 1))
            shown = requests[:_MOST_REPORTED]
            _log.info("waiting for requests", count=len(requests), requests=shown, at_most_seconds=seconds)
            await asyncio.sleep(_REPORT_SECONDS)


async def serve(app: FastAPI, settings: ServiceSettings, sockets: Sequence[socket.socket] | None = None) -> None:
    """Serve `app` until SIGINT or SIGTERM ends it. Without `sockets`, it listens on the host and port of `settings`."""
    raise_descriptor_limit()
    await DrainingServer(server_config(app, settings), services_of(app)).serve(list(sockets) if sockets else None)


def server_config(app: FastAPI, settings: ServiceSettings) -> uvicorn.Config:
    """Return uvicorn's configuration for `app`."""
    limits = connection_limits(settings.max_connections)
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        http=bounded_protocol(settings.header_timeout, settings.answer_timeout, limits.most),
        backlog=limits.accepted,
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=max(1, round(settings.drain)),
    )
