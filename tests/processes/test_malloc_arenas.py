from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

_COUNT = """
import ctypes, sys, threading
from processes.malloc_arenas import bound_malloc_arenas

if sys.argv[1] != "none":
    bound_malloc_arenas(int(sys.argv[1]))
started, done = threading.Barrier(9), threading.Event()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p

def allocate():
    assert libc.malloc(1000)
    started.wait()
    done.wait()

threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
started.wait()
libc.fdopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, file)
libc.fflush(file)
done.set()
"""

pytestmark = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="only the C library of GNU has arenas")


def arenas_of_eight_threads(most: str, **environment: str) -> int:
    """Return how many arenas a process has in which eight threads have memory at the same time."""
    rest = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    command = [sys.executable, "-c", _COUNT, most]
    return subprocess.run(command, env={**rest, **environment}, capture_output=True, text=True, check=True).stdout.count("<heap nr=")


def test_threads_share_arenas() -> None:
    assert arenas_of_eight_threads("2") == 2
    assert arenas_of_eight_threads("1") == 1
    assert arenas_of_eight_threads("none") > 4


def test_the_environment_decides() -> None:
    assert arenas_of_eight_threads("1", MALLOC_ARENA_MAX="3") == 3
