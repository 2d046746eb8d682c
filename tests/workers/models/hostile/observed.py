"""Notice what a hostile file must not cause: a program that runs, a connection, and a file that is read."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_FORBIDDEN = frozenset(
    {"os.system", "os.exec", "os.posix_spawn", "os.spawn", "socket.connect", "socket.getaddrinfo", "urllib.Request", "marshal.loads"}
)


class _EventWatch:
    """Python keeps an audit hook for ever, so there is one, and it notes events only while a test looks."""

    def __init__(self) -> None:
        self.events: list[str] | None = None
        self.forbidden_file = ""
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.events is None:
            return
        opened = event == "open" and self.forbidden_file and str(arguments[0]) == self.forbidden_file
        # The only program that may start is the one that reads files.
        started = event == "subprocess.Popen" and "workers.models.reading" not in " ".join(map(str, arguments[1]))
        if event in _FORBIDDEN or opened or started:
            self.events.append(f"{event} {arguments}"[:500])


@functools.cache
def _watch() -> _EventWatch:
    return _EventWatch()


@contextmanager
def nothing_forbidden(forbidden_file: str) -> Iterator[None]:
    """Assert that inside the context no program starts, nothing connects, no code is read, and `forbidden_file` is not opened."""
    watch = _watch()
    watch.events, watch.forbidden_file = [], forbidden_file
    try:
        yield
        assert not watch.events
    finally:
        watch.events = None
