"""The refusal of a model file and the limits of one, for the process that reads files. That process has neither pydantic nor Keras."""

from __future__ import annotations

from typing import NamedTuple


class FileRefused(Exception):
    """The model file is refused. `detail` completes the sentence that begins with the file's name: "has 7 bytes; at most 5 are allowed"."""

    def __init__(self, detail: str, *, allowed: int | None = None, got: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.allowed = allowed
        self.got = got


class FileLimits(NamedTuple):
    """The largest file, the largest size of its expanded contents and the longest configuration, all in bytes."""

    max_file_bytes: int
    max_expanded_bytes: int
    max_config_bytes: int


def check_size(size: int, limit: int, does: str) -> None:
    """Raise `FileRefused` if `size` is above the limit. `does` is the verb: "expands to" gives "expands to 7 bytes; …"."""
    if size > limit:
        raise FileRefused(f"{does} {size} bytes; at most {limit} are allowed.", allowed=limit, got=size)
