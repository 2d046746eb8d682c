"""Photos are read at once where that is quick, and on threads where it is not."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from convscope.cli.quick_reader import QuickReader


def _thread(seconds: float) -> int:
    time.sleep(seconds)
    return threading.get_ident()


async def test_quick_files_are_read_at_once_until_one_is_slow() -> None:
    reader, here = QuickReader(), threading.get_ident()
    assert [await reader.read(_thread, 0.0) for _ in range(3)] == [here] * 3
    assert await reader.read(_thread, 0.02) == here, "nobody knows before that it is slow"
    assert await reader.read(_thread, 0.0) != here


async def test_errors_are_those_of_the_function(tmp_path: Path) -> None:
    reader = QuickReader()
    with pytest.raises(FileNotFoundError):
        await reader.read((tmp_path / "gone.jpg").read_bytes)
