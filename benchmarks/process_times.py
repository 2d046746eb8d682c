"""The processor time and the memory of the processes that a benchmark has started."""

from __future__ import annotations

from collections import Counter

import psutil


def processor_seconds() -> Counter[str]:
    """Return the processor time of this process's descendants so far, in seconds, by the part of convscope that each belongs to."""
    spent: Counter[str] = Counter()
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
            spent[_part(process)] += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return spent


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process."""
    return psutil.Process(pid).memory_info().rss


def _part(process: psutil.Process) -> str:
    """Return `service`, `worker` or `redis`. A process that a part has started counts with it."""
    for each in (process, *process.parents()):
        words = each.cmdline()
        if any("redis-server" in word for word in words[:1]):
            return "redis"
        if "worker" in words:
            return "worker"
        if "api" in words:
            return "service"
    return "other"
