"""Make a child process end when its parent dies, so that a killed command leaves nothing running."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import wait

PARENT_DIED_EXIT_STATUS = 70
_PR_SET_PDEATHSIG = 1  # prctl(2)


def death_signal_setter() -> Callable[[], None] | None:
    """Return a `preexec_fn` for `subprocess.Popen` that makes the new program receive SIGTERM when this process dies.

    Return None on systems other than Linux, where the kernel offers no such signal. The kernel watches the *thread* that starts
    the program, so start it from the main thread. The returned function only calls prctl and getppid: anything else could wait
    for a lock that another thread held at the fork.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def set_death_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # the parent died before prctl was called
            os._exit(PARENT_DIED_EXIT_STATUS)

    return set_death_signal


def end_with_multiprocessing_parent() -> None:
    """End this process at once when the process that started it through `multiprocessing` has gone.

    The kernel's death signal cannot be used here: under the start method `forkserver` the kernel's parent is the fork server.
    The pipe to the process that asked for this one closes when that process dies, however it dies.

    Raises:
        RuntimeError: this process was not started through `multiprocessing`.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        raise RuntimeError("This process was not started through multiprocessing, so it has no parent to end with.")

    def exit_after_parent() -> None:
        wait([parent.sentinel])
        os._exit(PARENT_DIED_EXIT_STATUS)

    threading.Thread(target=exit_after_parent, name="end-with-parent", daemon=True).start()
