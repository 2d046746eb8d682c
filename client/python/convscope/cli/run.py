"""Run a method on many photos, and write the results to a folder."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import typer
from rich.console import Console

from convscope.cli.contact_sheet import write_contact_sheets
from convscope.cli.failing import CommandError
from convscope.cli.folder_lock import locked_folder
from convscope.cli.manifest import FAILED, MANIFEST, Manifest
from convscope.cli.parameters import read_parameters
from convscope.cli.patience import RunPatience
from convscope.cli.photos import find_photos
from convscope.cli.planning import RunItem, RunPlan, RunRequest, candidates, plan_run
from convscope.cli.progress import RunProgress, printable
from convscope.cli.recording import RunRecorder, RunStopped
from convscope.cli.run_options import RunOptions
from convscope.cli.running import run_in_batches, run_singly
from convscope.cli.save_choice import SaveChoice
from convscope.cli.services import CommandHome, service
from convscope.cli.stop_signals import until_stopped
from convscope.cli.submitting import RunClient

_GO_ON = "The same command again goes on where it stopped."
_INTERRUPTED = 130  # the exit status of a program that Ctrl-C has ended


class PhotoRun:
    """One run of the command.

    Args:
        home: the program that the command is part of.
        options: what the user gave.

    Raises:
        CommandError: the options are wrong, or no photo is found.
    """

    def __init__(self, home: CommandHome, options: RunOptions) -> None:
        self._home, self._options = home, options
        self._request = RunRequest(options.method, options.model, read_parameters(options.param), options.priority)
        self._save = SaveChoice.read(options.save)
        if options.contact_sheet and not self._save.has_pictures:
            raise CommandError(f"--contact-sheet needs the pictures, so --save must have png; got '{options.save}'.")
        if options.contact_sheet and find_spec("PIL") is None:
            raise CommandError("--contact-sheet needs Pillow: pip install 'convscope-client[cli]'.")
        self._out = Path(os.path.abspath(options.out))  # noqa: PTH100 - a link keeps its own name
        self._wanted = candidates(options.method, find_photos(options.photos, sys.stdin.read, self._out))

    def show(self) -> None:
        """Show what a run would do.

        Raises:
            CommandError: the folder holds other results.
        """
        _show_plan(self._plan(Manifest(self._out)), self._options)

    def do(self) -> int:
        """Do what is missing, and return the exit status: 0 if all photos have succeeded, 1 if some have failed, 130 after an interruption.

        Raises:
            CommandError: no service answers, or the folder holds other results.
        """
        with locked_folder(self._out):
            manifest = Manifest(self._out)
            plan = self._plan(manifest)
            try:
                status = self._work(plan, manifest) if plan.to_do else 0
            finally:
                manifest.close()
            _tell_counts(plan, manifest, self._options)
            if self._options.contact_sheet and status != _INTERRUPTED:
                for sheet in write_contact_sheets(self._out, manifest.rows, self._request.method):
                    typer.echo(f"Contact sheet: {sheet}")
        return status or int(any(_state(manifest, item) == "failed" for item in plan.items))

    def _plan(self, manifest: Manifest) -> RunPlan:
        return plan_run(manifest, self._out, self._request, self._save, self._wanted, retry_failed=self._options.retry_failed)

    def _work(self, plan: RunPlan, manifest: Manifest) -> int:
        progress = RunProgress(len(plan.to_do), Console(stderr=True))
        recorder = RunRecorder(self._out, manifest, self._request, self._save, progress)

        async def work(url: str) -> None:
            async with RunClient(url, self._options.key, retries=RunPatience()) as client:
                run = run_in_batches if self._options.batch else run_singly
                await run(client, self._request, plan.to_do, self._options.callers, recorder)
                recorder.finish()

        with service(self._home, self._options.url, may_start=True) as url:
            try:
                with progress:
                    interrupted = asyncio.run(until_stopped(work(url)))
            except RunStopped as stopped:
                typer.echo(f"{self._home.program}: {stopped}", err=True)
                return 1
            if interrupted:
                typer.echo(f"{self._home.program}: The run was interrupted. {_GO_ON}", err=True)
            return _INTERRUPTED if interrupted else 0


def _state(manifest: Manifest, item: RunItem) -> str | None:
    row = manifest[item.photo]
    return None if row is None else str(row["state"])


def _tell_counts(plan: RunPlan, manifest: Manifest, options: RunOptions) -> None:
    states = Counter(_state(manifest, item) for item in plan.items)
    left = plan.total - states["succeeded"] - states["failed"]
    before = f" ({len(plan.done)} before)" if plan.done else ""
    counts = {
        f"{states['succeeded']} of {plan.total} done{before}": True,
        f"{states['failed']} failed": states["failed"],
        f"{left} left": left,
    }
    typer.echo(f"{', '.join(text for text, shown in counts.items() if shown)}: {options.out / MANIFEST}")
    if states["failed"]:
        typer.echo(f"{options.out / FAILED} says why. The option --retry-failed tries them again.")


def _show_plan(plan: RunPlan, options: RunOptions) -> None:
    for item in plan.to_do:
        source = item.photo if isinstance(item.photo, str) else f"{len(item.photo)} photos" if item.photo else "no photo"
        typer.echo(printable(f"{source} -> {options.out / item.output}.*"))
    counts = f"{len(plan.to_do)} to do, {len(plan.done)} done, {len(plan.failed_before)} failed before"
    typer.echo(f"{counts}. Nothing was asked of a service, and nothing was written.", err=True)
