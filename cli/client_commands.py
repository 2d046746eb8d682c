"""Add the commands of the Python client to `convscope`, where the client is installed."""

from __future__ import annotations

from importlib.util import find_spec

import typer


def add_client_commands(app: typer.Typer) -> None:
    """Add the commands. Without the client, `convscope` has only its own commands."""
    if find_spec("convscope") is None:
        return
    from cli.run_service import service_for_a_run
    from convscope.cli.app import add_commands
    from convscope.cli.services import CommandHome

    how_to_start = "Start one with `convscope serve` in another terminal."
    app.info.context_settings = {"obj": CommandHome("convscope", service_for_a_run, how_to_start)}
    add_commands(app)
