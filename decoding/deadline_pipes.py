"""Read from pipes and write to them until a deadline. No thread waits for it: starting one takes longer than a small photo's way."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import select
import time
from typing import IO

_PIPE_BYTES = 2**20  # what Linux allows to anybody; a pipe holds 64 KiB otherwise, and the two processes take turns at each of them


class PipeClosed(Exception):
    """The process at the other end of the pipe has ended or closed it."""


class PipeTimedOut(Exception):
    """The process at the other end was not ready before the deadline."""


def prepare(pipe: IO[bytes] | None) -> None:
    """Make a pipe ready for the functions of this module."""
    file = _file(pipe)
    os.set_blocking(file.fileno(), False)
    with contextlib.suppress(AttributeError, OSError):  # only Linux has it, and a user may have too many large pipes
        fcntl.fcntl(file.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def read(pipe: IO[bytes] | None, length: int, deadline: float) -> bytearray:
    """Return exactly so many bytes. The deadline is a time of `time.monotonic`.

    Raises:
        PipeClosed: there are no more bytes.
        PipeTimedOut: the bytes have not come before the deadline.
    """
    file, content = _file(pipe), bytearray(length)
    rest = memoryview(content)
    while rest:
        count = file.readinto(rest)
        if count is None:
            _wait(file, select.POLLIN, deadline)
        elif count == 0:
            raise PipeClosed
        else:
            rest = rest[count:]
    return content


def write(pipe: IO[bytes] | None, content: bytes, deadline: float) -> None:
    """Write all of the content. The deadline is a time of `time.monotonic`.

    Raises:
        PipeClosed: nobody reads the pipe any more.
        PipeTimedOut: the bytes were not taken before the deadline.
    """
    file, rest = _file(pipe), memoryview(content)
    while rest:
        try:
            count = file.write(rest)
        except OSError:
            raise PipeClosed from None
        if count is None:
            _wait(file, select.POLLOUT, deadline)
        else:
            rest = rest[count:]


def _wait(file: io.FileIO, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(file, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise PipeTimedOut


def _file(pipe: IO[bytes] | None) -> io.FileIO:
    if not isinstance(pipe, io.FileIO):
        raise TypeError("The pipe must be unbuffered.")
    return pipe
