"""How a command ends when a signal or a time limit says so."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from cli.failure import CommandFailed


class Interrupts:
    """Counts SIGINT and SIGTERM, so that a loop can end in order. The second means: at once."""

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
            raise CommandFailed("interrupted")

    @contextmanager
    def raising(self) -> Generator[None]:
        """For code that cannot look at `count`: the first signal raises CommandFailed, wherever the main thread is."""
        self._raising = True
        try:
            yield
        finally:
            self._raising = False

    def hurry(self) -> bool:
        return self.count > 1


@contextmanager
def within(seconds: int, what: str) -> Generator[None]:
    """Raises CommandFailed when the block takes longer, whatever it waits for. In the main thread, one at a time."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise CommandFailed(f"{what} did not end within {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
