"""Make downloads of `keras.applications` safe: a silent server is given up, and one process of the machine downloads at a time."""

from __future__ import annotations

import fcntl
import os
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SILENCE_SECONDS = 30.0


class _TimeoutOpener(urllib.request.OpenerDirector):
    """Adds a timeout. Without one urllib waits for ever, and `keras.utils.get_file` gives none."""

    def open(self, fullurl: Any, data: Any = None, timeout: Any = None) -> Any:
        return super().open(fullurl, data, timeout if isinstance(timeout, (int, float)) else SILENCE_SECONDS)


def limit_silence() -> None:
    """Let every later `urlopen` of this process without a timeout fail after `SILENCE_SECONDS` without a byte."""
    opener = _TimeoutOpener()
    default_opener: Any = urllib.request.build_opener()
    for handler in default_opener.handlers:
        opener.add_handler(handler)
    urllib.request.install_opener(opener)


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Hold the lock `name`, which all processes of this user and machine share.

    Keras writes a download directly to its final place, where a second worker would read an unfinished file.
    """
    path = Path(tempfile.gettempdir()) / f"convscope-{os.getuid()}-{name}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
