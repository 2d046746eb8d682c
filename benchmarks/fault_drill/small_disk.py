"""A small disk in memory, which only root can mount."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.fault_drill.registry import FaultSkipped


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Generator[Path]:
    """Mount a disk of so many MiB at `folder`, which is made.

    Raises:
        FaultSkipped: mounting is not allowed here.
    """
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", bytes(folder), b"tmpfs", 0, f"size={mebibytes}m".encode()) != 0:
        raise FaultSkipped(f"A small disk cannot be mounted here, because only root may do so: {os.strerror(ctypes.get_errno())}.")
    try:
        yield folder
    finally:
        assert libc.umount2(bytes(folder), 2) == 0, "The small disk could not be removed."
