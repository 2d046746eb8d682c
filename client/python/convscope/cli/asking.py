"""Connect a command that asks the service."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import typer

from convscope.cli.failing import failures_told
from convscope.cli.services import home_of, service
from convscope.client import Client


@contextmanager
def asking(context: typer.Context, url: str | None, key: str | None) -> Generator[Client]:
    """Yield a client of the service. A failure inside the block ends the command with exit status 1."""
    home = home_of(context)
    with failures_told(home.program), service(home, url) as address, Client(address, key) as client:
        yield client
