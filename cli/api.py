"""The command `convscope api`."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from types import FrameType

from cli.access import check_keys_exist, with_auth_decided
from cli.api_processes import ApiProcesses
from cli.failure import CommandFailed
from cli.listening import listen, port_of
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.redis_address import running_redis_url
from service.app import create_app
from service.server import serve
from service.settings import ServiceSettings
from telemetry.logs import bind, configure_logs, get_logger
from telemetry.slow_callbacks import slow_callbacks_logged
from telemetry.traces import traces_to


def service_settings(host: str | None, port: int | None, *, insecure: bool) -> ServiceSettings:
    """Return the service's settings with `auth` decided. `host` and `port` replace the environment's values unless they are None.

    Raises:
        CommandFailed: the host is unknown, or the environment sets API keys, which are kept in Redis.
    """
    if os.environ.get("CONVSCOPE_API_KEYS"):
        raise CommandFailed("CONVSCOPE_API_KEYS is set, but keys do not come from the environment. Make them with `convscope keys add`.")
    given = {"host": host, "port": port}
    settings = ServiceSettings(**{name: value for name, value in given.items() if value is not None})  # pyright: ignore[reportArgumentType]
    return with_auth_decided(settings, insecure=insecure)


def redis_in_use(settings: StoreSettings) -> str:
    """Return the URL of the Redis that the settings name, or else of the one that `convscope serve` runs on the same data folder.

    Raises:
        CommandFailed: there is neither.
    """
    url = settings.redis_url or running_redis_url(settings.data_dir)
    if url is None:
        raise CommandFailed(
            "CONVSCOPE_REDIS_URL is not set, and no `convscope serve` runs on this data folder. Set it to the URL of a Redis, "
            "or run `convscope serve`, which starts one."
        )
    return url


def api(host: str | None, port: int | None, *, insecure: bool, fd: int | None, process: int | None) -> None:
    """Run the HTTP service until SIGTERM or SIGINT, then finish the requests that it has accepted.

    With the setting `api_processes`, several processes of the service share the port.

    Args:
        host: the address to listen on. If it is None, the setting `host` is used.
        port: the port to listen on, 0 for a free one. If it is None, the setting `port` is used.
        insecure: allow an address beyond loopback, although callers need no key or nobody has one.
        fd: the descriptor of a socket that listens already. If it is given, `host`, `port` and `insecure` have no effect.
        process: the number of this process among those that share the port. If it is None, this process starts them.

    Raises:
        CommandFailed: no Redis is known, or the service cannot or must not listen on the address.
    """
    settings = service_settings(host, port, insecure=insecure)
    redis_url = redis_in_use(settings)
    if fd is None:
        check_keys_exist(settings, redis_url, insecure=insecure)
        listener = listen(settings.host, settings.port, beyond_loopback=insecure or settings.auth == "required")
    else:
        listener = socket.socket(fileno=fd)
    configure_logs(settings.log_level, settings.log_format)
    log = get_logger("convscope")
    if process is None:
        log.info(
            "service listens", host=listener.getsockname()[0], port=port_of(listener), processes=settings.api_processes, auth=settings.auth
        )
        if settings.api_processes > 1:
            ApiProcesses(listener, settings, redis_url).run()
            return
    else:
        bind(process=process)
    with slow_callbacks_logged(settings.slow_callback):
        asyncio.run(_serve(settings, redis_url, listener))


def _ignore(_number: int, _frame: FrameType | None) -> None:
    return


async def _serve(settings: ServiceSettings, redis_url: str, listener: socket.socket) -> None:
    # When uvicorn has drained, it raises the signal that ended it once more. The store must still be closed then.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _ignore)
    store, traces = JobStore.connect(redis_url, settings), traces_to(settings.traces_endpoint, "convscope-service")
    try:
        await serve(create_app(settings, store, traces=traces), settings, [listener])
    finally:
        await store.close()
        await asyncio.to_thread(traces.close)
