"""Submit jobs of which one in a hundred kills the worker process that runs it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.fault_drill.ends import ended_jobs, figures_of_ends
from benchmarks.fault_drill.registry import Fault, Figure
from benchmarks.fault_drill.site import DrillSite
from tests.jobstore.samples import submission


async def run(folder: Path, short: bool) -> list[Figure]:
    hundreds, lease = (1, 3.0) if short else (3, 15.0)
    jobs = 100 * hundreds
    async with DrillSite(folder, lease=lease, heartbeat=lease / 3, max_queued=jobs + 10) as site:
        site.start_workers(2, 0.05)
        await site.ready(2)
        ids: list[str] = []
        for number in range(jobs):
            poisonous = {"params": f'{{"drill":"kill","number":{number}}}'} if number % 100 == 50 else {}
            ids.append((await site.store.jobs.submit(submission(number, **poisonous))).job.id)
        records = await ended_jobs(site.store, ids)
        poison = [record for number, record in enumerate(records) if number % 100 == 50]
        others = [record for number, record in enumerate(records) if number % 100 != 50]
        figures = await figures_of_ends(site.store, others)
    outcomes = Counter((record.error.code if record.error else str(record.state), record.attempts) for record in poison)
    text = ", ".join(f"{count} × {code} after {attempts} attempts" for (code, attempts), count in outcomes.items())
    promise = "worker_crashed after 3 attempts"
    return [Figure("jobs that kill their worker", promise, text, set(outcomes) == {("worker_crashed", 3)}), *figures]


FAULT = Fault("poison", "One job in a hundred kills the worker process that runs it", run, 20)
