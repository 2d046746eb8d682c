"""Keep two runs out of one folder of results."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from convscope.cli.failing import CommandError

_TEMPORARY = ".convscope-"  # the beginning of the names that `write_whole` gives to files that are not yet whole


@contextmanager
def locked_folder(folder: Path) -> Generator[None]:
    """Make the folder if it is missing, and hold it for this run. What a killed run has left half written is deleted.

    Raises:
        CommandError: another run holds the folder, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise CommandError(f"The folder {folder} cannot be used: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in folder.rglob(f"{_TEMPORARY}*"):
            left.unlink()
        yield
    except BlockingIOError as error:
        raise CommandError(f"Another run writes to {folder}. Wait until it has ended, or choose another folder with --out.") from error
    finally:
        os.close(descriptor)
