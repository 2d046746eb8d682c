"""How a command ends when it cannot do what was asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError

from catalog.errors import CatalogError


class CommandFailed(Exception):
    """What went wrong, in words for the person at the terminal."""


@contextmanager
def reported() -> Iterator[None]:
    """Prints a failure to stderr without a traceback and ends the command with status 1."""
    try:
        yield
    except CommandFailed as failure:
        message = str(failure)
    except ValidationError as error:
        message = "\n  ".join(["settings are wrong:", *setting_problems(error)])
    except CatalogError as error:
        message = f"the models are wrong: {error}"
    else:
        return
    typer.echo(f"convscope: {message}", err=True)
    raise typer.Exit(1)


def setting_problems(error: ValidationError) -> list[str]:
    """One line a wrong setting, by the name of its variable."""
    return [
        f"CONVSCOPE_{'__'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']} (got {problem['input']!r})"
        for problem in error.errors()
    ]
