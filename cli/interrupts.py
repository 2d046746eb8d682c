"""Count the signals that ask a command to end, so that it can end in order."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from cli.failure import CommandFailed


class Interrupts:
    """Count SIGINT and SIGTERM inside a `with` block. The first asks for an orderly end, the second for an end at once."""

    def __init__(self) -> None:
        self.count = 0
        self._raising = False
        self._before: dict[signal.Signals, signal.Handlers | Callable[[int, FrameType | None], object] | int | None] = {}

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _received(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self._raising:
            self._raising = False
            raise CommandFailed("The command was interrupted.")

    @contextmanager
    def raising(self) -> Generator[None]:
        """Make the first signal raise `CommandFailed` in the main thread, for code that cannot look at `count`."""
        self._raising = True
        try:
            yield
        finally:
            self._raising = False

    def hurry(self) -> bool:
        """Return whether a second signal has come, so that nothing is waited for any more."""
        return self.count > 1
