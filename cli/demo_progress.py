"""Show the progress of jobs: a bar for each job on a terminal, or else a line when a job has finished."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.jobs import Progress as JobProgress


class DemoProgress:
    """The progress bars of several jobs, one under the other."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> DemoProgress:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bars.stop()

    @contextmanager
    def job(self, title: str) -> Generator[Callable[[JobProgress], None]]:
        """Yield a function that shows a progress event of this job. The bar becomes full when the block ends without an error."""
        began = time.monotonic()
        bar = self._bars.add_task(title, total=None, note="")

        def show(progress: JobProgress) -> None:
            note = "" if progress.value is None else f"objective {progress.value:.2f}"
            self._bars.update(bar, completed=progress.step, total=progress.total, note=note)

        yield show
        total = self._bars.tasks[bar].total or 1
        self._bars.update(bar, completed=total, total=total)
        self._bars.stop_task(bar)
        if not self._console.is_terminal:
            self._console.print(f"{title:<18} {time.monotonic() - began:6.1f} s")
