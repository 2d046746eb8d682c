"""`convscope serve`."""

from __future__ import annotations

import typer

from cli.api import service_settings
from cli.failure import CommandFailed
from cli.listening import listen
from cli.stack import Drains, Stack
from workers.settings import Settings as WorkerSettings

_READY_WITHIN = 300.0  # seconds: the first start reads TensorFlow from a cold disk


def serve(host: str | None, port: int | None, *, insecure: bool) -> None:
    """Runs until interrupted.

    Raises:
        CommandFailed: the address cannot be had, or a part ended by itself.
    """
    settings = service_settings(host, port)
    drains = Drains(settings.drain, WorkerSettings().worker_drain)
    listener = listen(settings.host, settings.port, insecure=insecure)
    try:
        with Stack(
            listener,
            settings.data_dir,
            drains,
            redis_url=settings.redis_url,
            appendfsync=settings.redis_appendfsync,
            max_memory=settings.redis_max_memory,
        ) as stack:
            if stack.wait_ready(_READY_WITHIN):
                typer.echo(f"convscope is ready on {stack.url} (its documentation: {stack.url}/docs). Ctrl-C ends it.", err=True)
                stack.watch()
            typer.echo("convscope is ending: the service, then the workers, then Redis. Ctrl-C again: at once.", err=True)
    except CommandFailed as failure:
        raise CommandFailed(f"{failure}. Everything else has been ended.") from failure
    typer.echo("convscope has ended.", err=True)
