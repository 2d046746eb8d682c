"""A worker process must not outlive its supervisor."""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import wait

EXIT_CODE = 70


def end_with_parent() -> None:
    """Ends this process, at once, when the one that started it has gone.

    The kernel's PR_SET_PDEATHSIG would watch the fork server, which is the parent as the kernel sees it; multiprocessing's
    pipe to the process that asked for this one closes when that one dies, however it does.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        raise RuntimeError("only a process started through multiprocessing has a parent to end with")

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(EXIT_CODE)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
