"""Take from this process what it does not need before it reads a file that nobody has checked."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2)
_CLONE_NEWNET = 0x40000000  # unshare(2)
_CLONE_NEWUSER = 0x10000000
_SECONDS_BEFORE_SIGKILL = 5


def confine(*, memory_bytes: int, cpu_seconds: int, file_bytes: int) -> None:
    """Bound this process for the rest of its life.

    It can open nothing more, neither a file nor a socket, because its limit of descriptors is 0; those that are open stay usable.
    This alone holds on every system. Where the kernel permits it, the process also has a network of its own that has no interfaces.

    Args:
        memory_bytes: the address space that it may use.
        cpu_seconds: the processor time that it may use; the kernel ends it with SIGXCPU after that.
        file_bytes: the largest file that it may write.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C makes the worker drain, and models still load then
    _set_limit(resource.RLIMIT_AS, memory_bytes)
    _limit_processor_time(cpu_seconds)
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_FSIZE, file_bytes)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if libc.unshare(_CLONE_NEWNET) != 0:  # only root may do this without a name space for users
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
        with contextlib.suppress(OSError):  # where memory is short, the kernel is to end this process and not the worker
            Path("/proc/self/oom_score_adj").write_text("1000")
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def end_if_parent_has_gone(parent: int) -> None:
    """Exit if the process `parent`, which started this one, has died before its death would have been noticed."""
    if os.getppid() != parent:
        sys.exit(1)


def _limit_processor_time(seconds: int) -> None:
    """Let the kernel end this process with SIGXCPU after `seconds` of processor time.

    At the hard limit, Linux sends SIGKILL and no SIGXCPU, so that the end would look like one by lack of memory. So the hard limit is
    later than the soft one.
    """
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    latest = seconds + _SECONDS_BEFORE_SIGKILL
    if hard != resource.RLIM_INFINITY:
        latest = min(latest, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (max(1, min(seconds, latest - 1)), latest))


def _set_limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))
