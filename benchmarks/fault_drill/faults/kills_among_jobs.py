"""Kill worker processes among jobs that wait in them, some of which kill their worker themselves. Only the latter may fail for it."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

from benchmarks.fault_drill.ends import ended_jobs, figures_of_ends
from benchmarks.fault_drill.registry import Fault, Figure
from benchmarks.fault_drill.site import DrillSite
from jobstore.records import JobRecord
from tests.jobstore.samples import submission
from tests.wait import until

_WORKERS, _BATCH, _SECONDS = 4, 4, 0.5
_WAITING = 60  # jobs that are queued or held at any time
_PAUSE = 3.5  # seconds between two kills: a process lives for over ten seconds, so that its replacement starts at once
_POISON_EVERY = 300  # jobs


async def run(folder: Path, short: bool) -> list[Figure]:
    kills = 8 if short else 50
    async with DrillSite(folder, fast_in_flight=16, max_queued=10_000) as site:
        site.start_workers(_WORKERS, _SECONDS, _BATCH)
        await site.ready(_WORKERS)
        innocent: list[str] = []
        poison: list[str] = []
        feeding = asyncio.create_task(_feed(site, innocent, poison))
        killed = await _kill(site, kills)
        feeding.cancel()
        records, culprits = await ended_jobs(site.store, innocent), await ended_jobs(site.store, poison)
        ends = await figures_of_ends(site.store, records)
        deaths = len(site.said("worker ended"))
    charged = sum(record.attempts - 1 for record in records)
    return [
        Figure("worker processes killed", f"{kills}", f"{killed} in {len(records) + len(culprits):,} jobs", killed == kills),
        _crashed("innocent jobs that ended as worker_crashed", records, 0),
        _crashed("jobs that kill their worker and ended as worker_crashed", culprits, len(culprits)),
        Figure(
            f"attempts charged to innocent jobs in {deaths} deaths",
            f"at most a batch of {_BATCH} a death",
            f"{charged}",
            charged <= _BATCH * deaths,
        ),
        *ends,
    ]


async def _feed(site: DrillSite, innocent: list[str], poison: list[str]) -> None:
    """Keep `_WAITING` jobs in the queue and in the workers. The 20th kills its worker, and then one in every `_POISON_EVERY`."""
    number = 0
    while True:
        depth = await site.store.queue.depth()
        for _ in range(_WAITING - sum(lane.queued + lane.running for lane in depth.lanes.values())):
            kills = number % _POISON_EVERY == 20
            given = submission(number, **({"params": f'{{"drill":"kill","number":{number}}}'} if kills else {}))
            (poison if kills else innocent).append((await site.store.jobs.submit(given)).job.id)
            number += 1
        await asyncio.sleep(0.05)


async def _kill(site: DrillSite, kills: int) -> int:
    """Kill the process that has lived longest, again and again. Return how many were killed."""
    killed = 0
    while killed < kills:
        await asyncio.sleep(_PAUSE)
        await until(lambda: len(_alive(site)) == _WORKERS, 60)
        with suppress(ProcessLookupError):  # a job has killed it, and its supervisor has not said so yet
            os.kill(_alive(site)[0], signal.SIGKILL)
            killed += 1
    return killed


def _alive(site: DrillSite) -> list[int]:
    """Return the ids of the worker processes, the oldest first."""
    dead = {each["pid"] for each in site.said("worker ended")}
    return [each["pid"] for each in site.said("worker started") if each["pid"] not in dead]


def _crashed(subject: str, records: list[JobRecord], promised: int) -> Figure:
    crashed = sum(record.error is not None and record.error.code == "worker_crashed" for record in records)
    return Figure(subject, f"{promised or 'none'}", f"{crashed} of {len(records):,}", crashed == promised)


FAULT = Fault("kills-among-jobs", "Worker processes are killed among waiting jobs, and a few jobs kill their worker themselves", run, 15)
