"""The command `convscope serve`."""

from __future__ import annotations

import typer

from cli.access import check_keys_exist, start_key
from cli.api import service_settings
from cli.failure import CommandFailed
from cli.first_call import FirstCall
from cli.listening import listen
from cli.stack import DrainSeconds, Stack
from workers.settings import WorkerSettings

_READY_SECONDS = 300.0  # the first start reads TensorFlow from a cold disk


def serve(host: str | None, port: int | None, *, insecure: bool) -> None:
    """Run Redis, the workers and the service until a signal interrupts.

    Args:
        host: the address to listen on. If it is None, the setting `host` is used.
        port: the port to listen on, 0 for a free one. If it is None, the setting `port` is used.
        insecure: allow an address beyond loopback, although callers need no key or nobody has one.

    Raises:
        CommandFailed: the service cannot or must not listen on the address, the service or the workers ended by themselves, or
            the embedded Redis died too often.
    """
    settings = service_settings(host, port, insecure=insecure)
    worker_settings = WorkerSettings()
    drains = DrainSeconds(settings.drain_delay + settings.drain, worker_settings.worker_drain)
    listener = listen(settings.host, settings.port, beyond_loopback=insecure or settings.auth == "required")

    def key_for(redis_url: str) -> str | None:
        check_keys_exist(settings, redis_url, insecure=insecure)
        return start_key(settings, redis_url)

    try:
        with Stack(
            listener,
            settings.data_dir,
            drains,
            auth=settings.auth or "required",
            key_for=key_for,
            redis_url=settings.redis_url,
            appendfsync=settings.redis_appendfsync,
            max_memory=settings.redis_max_memory,
        ) as stack:
            first_call = FirstCall(stack, worker_settings.preload, needs_key=settings.auth == "required")
            if stack.wait_ready(_READY_SECONDS, first_call.is_answered):
                typer.echo(f"convscope is ready on {stack.url} (its documentation: {stack.url}/docs). Press Ctrl-C to end it.", err=True)
                for line in first_call.lines():
                    typer.echo(line, err=True)
                stack.watch()
            typer.echo("convscope ends the service, then the workers, then Redis. Press Ctrl-C again to end all at once.", err=True)
    except CommandFailed as failure:
        raise CommandFailed(f"{failure} Everything else has been ended.") from failure
    typer.echo("convscope has ended.", err=True)
