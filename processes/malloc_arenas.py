"""Bound the number of arenas from which malloc takes the memory of a process's threads."""

from __future__ import annotations

import ctypes
import os

_M_ARENA_MAX = -8  # of malloc.h


def bound_malloc_arenas(most: int) -> None:
    """Let all threads of this process share at most so many arenas. Call this before the process starts threads.

    The C library of GNU makes a new arena for nearly every thread, up to eight for each core. Each of them keeps what was freed in it, so
    the process takes as much memory as all of them have needed at their busiest moments together. Other C libraries have no arenas, and
    nothing is done there. Nothing is done either if the environment says how many there may be (`MALLOC_ARENA_MAX`).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_M_ARENA_MAX, most)
