"""Limit the time that a block of code may take."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from cli.failure import CommandFailed


@contextmanager
def time_limit(seconds: int, task: str) -> Generator[None]:
    """Raise `CommandFailed` if the block takes longer than `seconds`, whatever it waits for.

    The limit uses the process's alarm signal: use it in the main thread, and do not nest it. `task` names the block in the message.

    Example:
        with time_limit(300, "Grad-CAM"):
            job = client.follow(submitted, show_progress)
    """

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise CommandFailed(f"{task} did not end within {seconds} s.")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
