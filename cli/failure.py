"""End a command that cannot do its work with a message instead of a traceback."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import typer
from pydantic import ValidationError

from catalog.errors import CatalogError
from jobstore.settings import setting_problems


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
    except CommandFailed as failure:
        message = str(failure)
    except ValidationError as error:
        message = "\n  ".join(["These settings are wrong:", *setting_problems(error)])
    except CatalogError as error:
        message = f"The models cannot be used: {error}"
    else:
        return
    typer.echo(f"convscope: {message}", err=True)
    raise typer.Exit(1)
