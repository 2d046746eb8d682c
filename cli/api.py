"""`convscope api`."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

from cli.failure import CommandFailed
from cli.listening import listen, port_of
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.child import end_with_parent
from processes.embedded_redis import running_url
from service.app import create_app
from service.server import serve
from service.settings import Settings
from telemetry.logs import configure_logs, get_logger


def service_settings(host: str | None, port: int | None) -> Settings:
    """The service's settings, with what the command line says before what the environment says.

    Raises:
        CommandFailed: keys are set, which nothing would ask for.
    """
    if os.environ.get("CONVSCOPE_API_KEYS"):
        raise CommandFailed(
            "CONVSCOPE_API_KEYS is set, but this version does not ask callers for a key yet. "
            "Unset it, and keep the service on loopback or behind a proxy that asks."
        )
    given = {"host": host, "port": port}
    return Settings(**{name: value for name, value in given.items() if value is not None})  # pyright: ignore[reportArgumentType]


def redis_in_use(settings: StoreSettings) -> str:
    """The address of the Redis that is set, or of the one that `convscope serve` runs on the same data folder.

    Raises:
        CommandFailed: there is neither.
    """
    url = settings.redis_url or running_url(settings.data_dir)
    if url is None:
        raise CommandFailed("CONVSCOPE_REDIS_URL is not set: name a Redis, or run `convscope serve`, which starts one")
    return url


def api(host: str | None, port: int | None, *, insecure: bool, fd: int | None, parent: int | None) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what it has accepted. `fd`: a socket that listens already.

    Raises:
        CommandFailed: no Redis is named, or the address cannot be had.
    """
    settings = service_settings(host, port)
    redis_url = redis_in_use(settings)
    if parent is not None:
        end_with_parent(parent)
    listener = listen(settings.host, settings.port, insecure=insecure) if fd is None else socket.socket(fileno=fd)
    configure_logs(settings.log_level, settings.log_format)
    get_logger("convscope").info("service listens", host=listener.getsockname()[0], port=port_of(listener))
    asyncio.run(_serve(settings, redis_url, listener))


async def _serve(settings: Settings, redis_url: str, listener: socket.socket) -> None:
    # uvicorn raises the signal that ended it once more when it has drained; the store is still to be closed then.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    store = JobStore.connect(redis_url, settings)
    try:
        await serve(create_app(settings, store), settings, [listener])
    finally:
        await store.close()
