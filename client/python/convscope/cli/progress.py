"""Show how far a run is: a bar on a terminal, and plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_LINE_SECONDS = 10.0
_FAILURES_SHOWN = 20


class RunProgress:
    """The progress of a run on stderr.

    Args:
        total: the number of photos that the run has to do.
        console: where to show it.
    """

    def __init__(self, total: int, console: Console) -> None:
        self.total = total
        self._console = console
        self._done = 0
        self._failed = 0
        self._began = self._told = time.monotonic()
        self._bar = Progress(
            BarColumn(40),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total, rate="", left="")

    def __enter__(self) -> RunProgress:
        self._began = self._told = time.monotonic()
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def advance(self) -> None:
        """Count a photo that has ended."""
        self._done += 1
        now = time.monotonic()
        rate, left = _pace(self._done, self.total, now - self._began)
        failed = f", {self._failed} failed" if self._failed else ""
        self._bar.update(self._task, completed=self._done, rate=f"{rate}{failed}", left=left)
        if not self._console.is_terminal and (now - self._told >= _LINE_SECONDS or self._done == self.total):
            self._told = now
            self._console.print(f"{self._done} of {self.total}{failed}, {rate}, {left}", highlight=False, soft_wrap=True)

    def failed(self, photo: str, why: str) -> None:
        """Count a photo that has failed, and say why. Only the first failures are shown one by one."""
        self._failed += 1
        if self._failed <= _FAILURES_SHOWN:
            self._console.print(f"[red]{escape(printable(photo))}[/red]: {escape(why)}", highlight=False, soft_wrap=True)
        if self._failed == _FAILURES_SHOWN:
            self._console.print("Further failures are not shown here.")
        self.advance()


def printable(path: str) -> str:
    """Return a path with replacements for bytes that are no text."""
    return path.encode("utf-8", "replace").decode()


def _pace(done: int, total: int, seconds: float) -> tuple[str, str]:
    """Return the rate, and the time that is left if the rate stays the same."""
    rate = done / seconds if seconds > 0 else 0.0
    if not rate:
        return "", ""
    left = round((total - done) / rate)
    clock = f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02}" if left >= 3600 else f"{left // 60}:{left % 60:02}"
    return (f"{rate:.1f}/s" if rate >= 1 else f"{1 / rate:.1f} s each"), f"{clock} left"
