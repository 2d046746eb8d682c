"""Run the application in uvicorn, and tell it about a signal before uvicorn shuts down."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from types import FrameType

import uvicorn
from fastapi import FastAPI

from service.dependencies import services_of
from service.drain import Drain
from service.settings import ServiceSettings


class DrainingServer(uvicorn.Server):
    """uvicorn, with a drain that begins at the first signal.

    Uvicorn's own shutdown waits for open streams before it tells the application. Here the drain begins first, so that streams end,
    waits are cut short and `/readyz` says that the service is draining. A second signal skips the delay.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain, delay: float) -> None:
        super().__init__(config)
        self._drain = drain
        self._delay = delay
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        assert self._loop is not None  # noqa: S101 - uvicorn installs this handler while `serve` runs
        first = not self._drain.begun
        self._loop.call_soon_threadsafe(self._drain.begin)
        if first and self._delay > 0:
            self._loop.call_soon_threadsafe(self._loop.call_later, self._delay, super().handle_exit, sig, frame)
        else:
            super().handle_exit(sig, frame)


async def serve(app: FastAPI, settings: ServiceSettings, sockets: Sequence[socket.socket] | None = None) -> None:
    """Serve `app` until SIGINT or SIGTERM ends it. Without `sockets`, it listens on the host and port of `settings`."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(settings.drain)),
    )
    await DrainingServer(config, services_of(app).drain, settings.drain_delay).serve(list(sockets) if sockets else None)
