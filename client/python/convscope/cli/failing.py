"""End a command that cannot do its work with a sentence instead of a traceback."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import typer

from convscope.errors import ConvscopeError


class CommandError(Exception):
    """A command cannot do its work. The message is a full sentence for the person at the terminal."""


@contextmanager
def failures_told(program: str) -> Generator[None]:
    """Print a failure inside the block to stderr and end the command with exit status 1.

    Raises:
        typer.Exit: the block raised `CommandError` or an error of the client.
    """
    try:
        yield
    except (CommandError, ConvscopeError) as failure:
        typer.echo(f"{program}: {failure}", err=True)
        raise typer.Exit(1) from failure
