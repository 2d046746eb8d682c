"""Pipes give and take everything before a deadline, and nothing waits longer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator
from typing import IO

import pytest

from decoding import deadline_pipes
from decoding.deadline_pipes import PipeClosed, PipeTimedOut


@pytest.fixture
def pipe() -> Generator[tuple[IO[bytes], IO[bytes]]]:
    """Yield the end that is read and the end that is written."""
    ends = os.pipe()
    with os.fdopen(ends[0], "rb", buffering=0) as readable, os.fdopen(ends[1], "wb", buffering=0) as writable:
        for end in (readable, writable):
            deadline_pipes.prepare(end)
        yield readable, writable


def test_more_than_a_pipe_holds_arrives_whole(pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    content, deadline = os.urandom(3 * 2**20 + 1), time.monotonic() + 30
    writing = threading.Thread(target=deadline_pipes.write, args=(pipe[1], content, deadline))
    writing.start()
    assert deadline_pipes.read(pipe[0], len(content), deadline) == content
    writing.join()


def test_bytes_that_do_not_come_are_not_waited_for(pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    deadline_pipes.write(pipe[1], b"ab", time.monotonic() + 30)
    with pytest.raises(PipeTimedOut):
        deadline_pipes.read(pipe[0], 3, time.monotonic() + 0.05)


def test_bytes_that_nobody_takes_are_not_waited_for(pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    with pytest.raises(PipeTimedOut):
        deadline_pipes.write(pipe[1], bytes(2**22), time.monotonic() + 0.05)


def test_a_closed_end_is_noticed_at_once(pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    deadline_pipes.write(pipe[1], b"a", time.monotonic() + 30)
    pipe[1].close()
    with pytest.raises(PipeClosed):
        deadline_pipes.read(pipe[0], 2, time.monotonic() + 30)


def test_a_pipe_without_a_reader_is_noticed_at_once(pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    pipe[0].close()
    with pytest.raises(PipeClosed):
        deadline_pipes.write(pipe[1], b"a", time.monotonic() + 30)
