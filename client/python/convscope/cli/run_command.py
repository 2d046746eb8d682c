"""The command `run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from convscope.cli.completions import complete_method, complete_model
from convscope.cli.failing import failures_told
from convscope.cli.service_options import Key, Url
from convscope.cli.services import home_of


def run(
    context: typer.Context,
    method: Annotated[str, typer.Argument(help="The name of the method, such as grad_cam.", autocompletion=complete_method)],
    photos: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders, patterns such as 'photos/**/*.jpg', or - for a list on standard input.", show_default=False),
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The results go to this folder.", file_okay=False, show_default=False)],
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="The name of the model.", show_default=False, autocompletion=complete_model)
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param", "-p", metavar="NAME=VALUE", help="A parameter of the method. The value is JSON or a text.", show_default=False
        ),
    ] = None,
    save: Annotated[
        str,
        typer.Option(
            metavar="WORDS",
            help="What is written of each result, with commas between: png (the main picture), npy (the arrays), json (the job), all, "
            "or names of artifacts.",
        ),
    ] = "png",
    callers: Annotated[int, typer.Option(min=1, max=64, help="So many photos are under way at the same time.")] = 8,
    batch: Annotated[bool, typer.Option("--batch", help="Hand the photos to the service in batches, behind the jobs of others.")] = False,
    priority: Annotated[
        Literal["high", "normal", "low"] | None, typer.Option(help="The priority of the jobs. By default normal, and low with --batch.")
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Also try the photos that failed in an earlier run.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    contact_sheet: Annotated[bool, typer.Option("--contact-sheet", help="Draw all pictures on contact sheets.")] = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Run a method on many photos, and write the results to a folder.

    The same command again does what is missing.
    """
    from convscope.cli.run import PhotoRun
    from convscope.cli.run_options import RunOptions

    home = home_of(context)
    with failures_told(home.program):
        options = RunOptions(
            method, photos or (), model, param or (), out, save, callers, batch, priority, retry_failed, dry_run, contact_sheet, url, key
        )
        photo_run = PhotoRun(home, options)
        if dry_run:
            photo_run.show()
            raise typer.Exit
        status = photo_run.do()
    raise typer.Exit(status)
