"""Run all of convscope for the duration of one command."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cli.failure import CommandFailed
from cli.listening import listen
from cli.stack import DrainSeconds, Stack

_READY_SECONDS = 300.0
_DRAINS = DrainSeconds(service=5.0, workers=10.0)  # no job is left to finish when the command ends


@contextmanager
def temporary_stack(command: str, log_dir: Path | None = None) -> Generator[Stack]:
    """Yield a ready convscope on a free loopback port. Its data lies in a temporary folder that is deleted at the end.

    Args:
        command: the name of the command, for the temporary folder's name.
        log_dir: the folder for the logs. If it is None, the logs are deleted with the data.

    Raises:
        CommandFailed: convscope is not ready in time, or a signal interrupted the wait.
    """
    with (
        tempfile.TemporaryDirectory(prefix=f"convscope-{command}-") as data_dir,
        Stack(listen("127.0.0.1", 0, beyond_loopback=False), Path(data_dir), _DRAINS, log_dir=log_dir or Path(data_dir)) as stack,
    ):
        if not stack.wait_ready(_READY_SECONDS):
            raise CommandFailed("The command was interrupted.")
        yield stack
