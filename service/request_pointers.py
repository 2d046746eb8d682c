"""Let errors about parameters point into the caller's request."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from schemas.errors import VisualizationError
from service.parse_request import ParsedRequest


@contextmanager
def pointers_of(parsed: ParsedRequest) -> Generator[None]:
    """Let the pointers of errors that are raised inside be those of the caller's request."""
    try:
        yield
    except VisualizationError as error:
        if error.pointer is not None and error.pointer.startswith("/params"):
            error.pointer = parsed.params_pointer + error.pointer.removeprefix("/params") or None
        raise
