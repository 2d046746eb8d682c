"""Weights fetched by `keras.applications`: within a bounded silence, and by one process of the machine at a time."""

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


class _ImpatientOpener(urllib.request.OpenerDirector):
    """urllib waits for ever where no timeout is given, and `keras.utils.get_file` gives none."""

    def open(self, fullurl: Any, data: Any = None, timeout: Any = None) -> Any:
        return super().open(fullurl, data, timeout if isinstance(timeout, (int, float)) else SILENCE_SECONDS)


def limit_silence() -> None:
    """From now on an `urlopen` of this process that is given no timeout fails after 30 s without a byte."""
    opener = _ImpatientOpener()
    usual: Any = urllib.request.build_opener()
    for handler in usual.handlers:
        opener.add_handler(handler)
    urllib.request.install_opener(opener)


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Holds the machine-wide lock `name`: Keras writes a download straight to its final place, where a second worker would
    read half of it."""
    path = Path(tempfile.gettempdir()) / f"convscope-{os.getuid()}-{name}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
