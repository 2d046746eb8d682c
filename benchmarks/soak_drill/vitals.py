"""Measure what a running convscope has taken: memory, descriptors, processes, Redis, files and compiled functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil
from redis import Redis

from benchmarks.redis_memory import stored_bytes
from tests.faults.served_stack import ServedStack


@dataclass(frozen=True)
class Vitals:
    """The state after so many jobs. Memory is in bytes. The memory of Redis is that of `stored_bytes`."""

    jobs: int
    service_memory: int
    worker_memory: int
    descriptors: int
    processes: int
    functions: int
    redis_keys: int
    redis_memory: int
    files: int
    file_bytes: int


async def measured(stack: ServedStack, redis: Redis, jobs: int) -> Vitals:
    """Return the state of a stack now. The worker is asked for the number of its compiled functions."""
    assert stack.supervisor is not None
    service, worker = psutil.Process(stack.service.pid), psutil.Process(stack.worker_pid)
    sizes = _sizes(stack.folder / "files")
    traces = (await stack.worker_metrics())["convscope_traces", ()]
    return Vitals(
        jobs=jobs,
        service_memory=service.memory_info().rss,
        worker_memory=worker.memory_info().rss,
        descriptors=service.num_fds() + worker.num_fds(),
        processes=sum(len(psutil.Process(pid).children(recursive=True)) for pid in (service.pid, stack.supervisor.pid)),
        functions=round(traces),
        redis_keys=int(redis.dbsize()),  # type: ignore[arg-type]
        redis_memory=stored_bytes(redis),
        files=len(sizes),
        file_bytes=sum(sizes),
    )


def growth(states: Sequence[Vitals], value: Callable[[Vitals], float]) -> tuple[float, float]:
    """Return how much a value has grown in the second half of the states, and how much that is for 1,000 jobs.

    The half is cut in two, and the medians of its two parts are compared, so that a single high state does not count.
    """
    half = states[len(states) // 2 :]
    earlier, later = half[: len(half) // 2], half[len(half) // 2 :]
    grown = median(map(value, later)) - median(map(value, earlier))
    jobs = median(state.jobs for state in later) - median(state.jobs for state in earlier)
    return grown, 1000 * grown / jobs


def _sizes(folder: Path) -> list[int]:
    sizes: list[int] = []
    for path in folder.glob("*/*"):
        with suppress(FileNotFoundError):  # it may be deleted at this moment
            sizes.append(path.stat().st_size)
    return sizes
