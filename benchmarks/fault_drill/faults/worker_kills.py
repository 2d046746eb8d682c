"""Kill worker processes one after the other while jobs run."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

from benchmarks.fault_drill.ends import ended_jobs, figures_of_ends
from benchmarks.fault_drill.registry import Fault, Figure, within
from benchmarks.fault_drill.site import DrillSite
from tests.jobstore.samples import submission

_WORKERS = 4
_PAUSE = 2.6  # seconds between two kills: each process lives for ten seconds, so that its replacement starts at once


async def run(folder: Path, short: bool) -> list[Figure]:
    kills, lease = (6, 3.0) if short else (100, 15.0)
    jobs = 5 * kills
    # All jobs that a worker holds are at work in it, and each kill counts against them. So there are attempts enough.
    settings = {"lease": lease, "heartbeat": lease / 3, "max_attempts": kills + 2, "fast_in_flight": 4, "max_queued": jobs + 10}
    async with DrillSite(folder, **settings) as site:
        site.start_workers(_WORKERS, 1.5)
        await site.ready(_WORKERS)
        ids = [(await site.store.jobs.submit(submission(number))).job.id for number in range(jobs)]
        killed: dict[int, float] = {}
        for kill in range(kills):
            pids = [each["pid"] for each in site.said("worker started")]
            dead = {each["pid"] for each in site.said("worker ended")}
            alive = [pid for pid in pids if pid not in dead]
            if alive:
                os.kill(alive[0], signal.SIGKILL)  # the one that has lived longest
                killed[alive[0]] = time.time()
            await asyncio.sleep(_PAUSE if kill + 1 < kills else 0)
        records = await ended_jobs(site.store, ids)
        figures = await figures_of_ends(site.store, records)
        late = _latest_takeover(site, killed)
    return [
        Figure("worker processes killed", f"{kills}", f"{len(killed)} in {jobs} jobs", len(killed) == kills),
        *figures,
        within("a killed worker's job was taken over, at the latest", late, lease + 5),
    ]


def _latest_takeover(site: DrillSite, killed: dict[int, float]) -> float:
    """Return the longest time from the death of a worker until one of the jobs that it ran was begun again, in seconds."""
    ended = {(each["execution"], each["attempt"]) for each in site.said("execution ended")}
    began = [(each["execution"], each["attempt"], each["pid"], each["at"]) for each in site.said("execution began")]
    orphaned = {key: killed[pid] for key, attempt, pid, _ in began if (key, attempt) not in ended and pid in killed}
    return max((min(at - died for other, _, _, at in began if other == key and at > died) for key, died in orphaned.items()), default=0.0)


FAULT = Fault("worker-kills", "Worker processes are killed with SIGKILL, one after the other", run, 10)
