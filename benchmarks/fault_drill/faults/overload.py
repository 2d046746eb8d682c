"""Send ten times as many jobs as the workers can do."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

import httpx

from benchmarks.fault_drill.registry import Fault, Figure
from benchmarks.fault_drill.site import DrillSite, send_cam

_SECONDS, _AT_ONCE, _QUEUE = 1.0, 4, 12  # of one job, jobs that run at the same time, places in the queue
_RATE = _AT_ONCE / _SECONDS


async def run(folder: Path, short: bool) -> list[Figure]:
    lasts = 5.0 if short else 30.0
    async with DrillSite(folder, fast_in_flight=_AT_ONCE, max_queued=_QUEUE) as site:
        site.start_service()
        site.start_workers(1, _SECONDS)
        await site.ready(1)
        await site.answers()
        await _latencies(site, [0.0] * _QUEUE, first=0)  # this warms everything up
        calm = await _latencies(site, [0.0] * _QUEUE, first=100)
        offered = round(10 * _RATE * lasts)
        files = await _stored(site)
        loaded = await _latencies(site, [lasts * number / offered for number in range(offered)], first=1000)
        accepted = loaded.statuses[202]
        more_files = await _stored(site) - files
    usual, slowest = _p99(calm.seconds), _p99(loaded.seconds)
    promise = f"within 2 × {usual:.2f} s, the p99 of a queue that was filled once"
    return [
        Figure("jobs sent, by status", f"{10 * _RATE:g} a second, where {_RATE:g} can be done", f"{dict(loaded.statuses)}", accepted > 0),
        Figure("p99 of the accepted jobs", promise, f"{slowest:.2f} s", slowest <= 2 * usual, compares_times=True),
        Figure("statuses of the refused ones", "503", f"{sorted(loaded.statuses)}", set(loaded.statuses) == {202, 503}),
        Figure("refusals without Retry-After", "none", f"{loaded.silent}", loaded.silent == 0),
        Figure("photos and pictures stored", f"of the {accepted} accepted jobs only", f"{more_files}", more_files <= 3 * accepted),
    ]


class _Load:
    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []
        self.silent = 0


async def _latencies(site: DrillSite, moments: list[float], first: int) -> _Load:
    """Submit a job at each of the moments (seconds from now), and note how long the accepted ones take."""
    load, began = _Load(), time.monotonic()

    async def one(number: int, moment: float) -> None:
        await asyncio.sleep(began + moment - time.monotonic())
        sent = time.monotonic()
        answer = await send_cam(site.client, first + number)
        load.statuses[answer.status_code] += 1
        if answer.status_code == httpx.codes.ACCEPTED:
            record = await site.store.jobs.wait(answer.json()["id"], "anonymous", 120)
            assert record is not None
            assert record.state == "succeeded", record
            load.seconds.append(time.monotonic() - sent)
        else:
            load.silent += "retry-after" not in answer.headers

    async with asyncio.TaskGroup() as group:
        for number, moment in enumerate(moments):
            group.create_task(one(number, moment))
    return load


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(0.99 * len(seconds)))]


async def _stored(site: DrillSite) -> int:
    return await asyncio.to_thread(lambda: sum(path.is_file() for path in (site.folder / "files").rglob("*")))


FAULT = Fault("overload", "Ten times as many jobs come as the workers can do", run, 90)
