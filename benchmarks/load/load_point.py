"""One measurement: callers offer a number of calls a second for some time, and locust says how fast they are answered."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 4  # so many seconds of calls are under way at most before the callers cannot offer more


@dataclass(frozen=True)
class LoadPoint:
    """Holds what one measurement has shown.

    Args:
        traffic: the kind of traffic.
        workers: the number of worker processes.
        offered: the calls that the callers wanted to begin in a second.
        answered: the calls that were answered with a result in a second.
        failed: the number of calls that were answered otherwise.
        p50: the median time of a call in milliseconds, and p95 and p99 the times that 95 % and 99 % do not exceed.
    """

    traffic: str
    workers: int
    offered: float
    answered: float
    failed: int
    p50: float
    p95: float
    p99: float


def measure(url: str, traffic: str, workers: int, offered: float, seconds: float) -> LoadPoint:
    """Offer `offered` calls a second to `url` for `seconds`."""
    callers = math.ceil(offered * _PATIENCE_SECONDS)
    command = [sys.executable, "-m", "locust", "-f", "benchmarks/load/traffic.py", "--headless", "--json", "--skip-log", "--host", url]
    command += ["--users", str(callers), "--spawn-rate", str(callers), "--run-time", f"{seconds:.0f}s", "--stop-timeout", "60"]
    environment = {**os.environ, "BENCH_TRAFFIC": traffic, "BENCH_PACING": str(callers / offered), "LOCUST_EXIT_CODE_ON_ERROR": "0"}
    ended = subprocess.run(command, cwd=_ROOT, env=environment, check=False, capture_output=True, text=True)  # noqa: S603 - it is fixed
    if ended.returncode:
        raise SystemExit(f"locust has failed:\n{ended.stderr[-2000:]}")
    return summary(json.loads(ended.stdout), traffic, workers, offered)


def summary(entries: Sequence[Mapping[str, Any]], traffic: str, workers: int, offered: float) -> LoadPoint:
    """Return one point from locust's entries, one for each kind of call.

    The answered calls are counted in whole paces of the callers, after the first one, in which they begin at random moments.
    """
    if not entries:
        raise SystemExit(f"No call of {traffic} has ended at {offered:g} calls a second. Give the measurement more seconds.")
    times: Counter[float] = Counter()
    for entry in entries:
        times.update({float(milliseconds): count for milliseconds, count in entry["response_times"].items()})
    failed = sum(entry["num_failures"] for entry in entries)
    done: Counter[int] = Counter()
    for entry in entries:
        done.update({int(second): count for second, count in entry["num_reqs_per_sec"].items()})
        done.subtract({int(second): count for second, count in entry["num_fail_per_sec"].items()})
    first, last = min(done), max(done)
    steady = range(first + _PATIENCE_SECONDS, first + _PATIENCE_SECONDS * max(2, (last - first) // _PATIENCE_SECONDS))
    answered = sum(done[second] for second in steady) / len(steady)
    p50, p95, p99 = (percentile(times, share) for share in (0.5, 0.95, 0.99))
    return LoadPoint(traffic, workers, offered, round(answered, 2), failed, p50, p95, p99)


def percentile(times: Mapping[float, int], share: float) -> float:
    """Return the smallest time that at least `share` of all calls do not exceed, from the number of calls by time."""
    wanted, passed = share * sum(times.values()), 0
    for time in sorted(times):
        passed += times[time]
        if passed >= wanted:
            return time
    raise ValueError("There are no times.")
