"""Files are read and written at once where that is quick, and on threads where it is not."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from convscope.cli import quick_files
from convscope.cli.quick_files import QuickFiles


def _thread(seconds: float) -> int:
    time.sleep(seconds)
    return threading.get_ident()


async def test_quick_calls_are_made_at_once_until_one_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_files, "_SLOW_SECONDS", 0.5)  # other work of the machine does not make a call so slow
    files, here = QuickFiles(), threading.get_ident()
    assert [await files.call(_thread, 0.0) for _ in range(3)] == [here] * 3
    assert await files.call(_thread, 0.5) == here, "nobody knows before that it is slow"
    assert await files.call(_thread, 0.0) != here


async def test_errors_are_those_of_the_function(tmp_path: Path) -> None:
    files = QuickFiles()
    with pytest.raises(FileNotFoundError):
        await files.call((tmp_path / "gone.jpg").read_bytes)
