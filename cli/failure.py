"""End a command that cannot do its work with a message instead of a traceback."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import typer


class CommandFailed(Exception):
    """A command cannot do its work. The message is a full sentence for the person at the terminal."""


@contextmanager
def reported() -> Generator[None]:
    """Print a failure inside the block to stderr, without a traceback, and end the command with exit status 1.

    Raises:
        typer.Exit: the block raised `CommandFailed`, or its settings or models are wrong.
    """
    try:
        yield
    except Exception as error:
        message = _message(error)
        if message is None:
            raise
    else:
        return
    typer.echo(f"convscope: {message}", err=True)
    raise typer.Exit(1)


def _message(error: Exception) -> str | None:
    """Return what the person at the terminal is told, or None if the error is no failure of the command.

    The imports take a tenth of a second, which a command that succeeds does not spend.
    """
    from pydantic import ValidationError

    from catalog.errors import CatalogError
    from jobstore.settings import setting_problems

    match error:
        case CommandFailed():
            return str(error)
        case ValidationError():
            return "\n  ".join(["These settings are wrong:", *setting_problems(error)])
        case CatalogError():
            return f"The models cannot be used: {error}"
        case _:
            return None
