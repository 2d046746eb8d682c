"""The program `convscope-client`, and its commands for the server's program."""

from __future__ import annotations

from typing import Annotated

import typer

from convscope.cli.discovery_commands import labels, layers, methods, models
from convscope.cli.job_commands import cancel, jobs
from convscope.cli.run_command import run
from convscope.cli.services import CommandHome

_HOME = CommandHome(
    "convscope-client",
    None,
    "Start one in a copy of the repository with `make serve`, or with `convscope serve` where the server is installed.",
)


def add_commands(app: typer.Typer) -> None:
    """Add the commands of the client to a program, whose context must have a `CommandHome` as its object."""
    for command in (run, models, layers, labels, methods, jobs, cancel):
        app.command()(command)


def client_app() -> typer.Typer:
    """Return the program `convscope-client`."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_show_locals=False, context_settings={"obj": _HOME})
    app.callback()(_options)
    add_commands(app)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"convscope-client {version('convscope-client')}")
        raise typer.Exit


def _options(
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and end.")
    ] = False,
) -> None:
    """Show what convolutional networks see, with a service of convscope."""
