"""Kill Redis under load and start it again on its files."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from benchmarks.fault_drill.registry import Fault, Figure, none, within
from benchmarks.fault_drill.store_load import StoreLoad
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis
from schemas.jobs import JobState
from tests.wait import until

_FOLLOW_SECONDS = 120.0


async def run(folder: Path, short: bool) -> list[Figure]:
    restarts = 5 if short else 20
    jobs = 30 * restarts
    settings = StoreSettings(data_dir=folder, min_free_disk=0, lease=1.0, max_queued_per_caller=jobs, max_attempts=restarts + 2)
    server = EmbeddedRedis.start(folder, appendfsync="always")
    store = JobStore.connect(server.url, settings)
    load = StoreLoad(store, jobs)
    working = [asyncio.create_task(load.work(f"w{number}")) for number in range(3)]
    submitting = asyncio.create_task(load.submit_all())
    back: list[float] = []
    for restart in range(restarts):
        await until(lambda restart=restart: len(load.accepted) >= (restart + 1) * jobs // (restarts + 2), 120)
        server.kill()
        refused = load.refusals
        await until(lambda refused=refused: load.refusals > refused)
        began = time.monotonic()
        server = await asyncio.to_thread(EmbeddedRedis.start, folder, appendfsync="always")
        await until(lambda began=began: load.accepted_at[-1] > began)
        back.append(load.accepted_at[-1] - began)
    await submitting
    await asyncio.wait_for(asyncio.gather(*(load.follow(job_id) for job_id in load.accepted)), _FOLLOW_SECONDS)
    load.is_finished = True
    await asyncio.gather(*working)
    figures = await _figures(load, back)
    await store.close()
    server.stop()
    return figures


async def _figures(load: StoreLoad, back: list[float]) -> list[Figure]:
    jobs, _ = await load.store.jobs.page("ann", limit=load.jobs + 10)
    missing = {*load.accepted} ^ {job.id for job in jobs}
    lost = len(missing) + (load.jobs - len(set(load.accepted))) + sum(job.state is not JobState.SUCCEEDED for job in jobs)
    torn = gaps = doubled = 0
    for job in jobs:
        torn += await load.store.artifacts.read(job.id, "ann", "overlay") != job.id.encode()
        sequences = [sequence for sequence, _, _ in load.seen[job.id]]
        gaps += sequences != sorted(set(sequences))
        doubled += [kind for _, kind, _ in load.seen[job.id]].count("done") != 1
    return [
        Figure("restarts of Redis under load", "each is survived", f"{len(back)}", bool(back)),
        within("submissions were accepted again after a restart, at the latest", max(back), 10),
        none("jobs that were lost", lost, load.jobs),
        none("jobs with more than one visible end", doubled, load.jobs),
        none("streams of events with a repeated or misplaced event", gaps, load.jobs),
        none("results that are not the job's own", torn, load.jobs),
    ]


FAULT = Fault("redis-restarts", "Redis is killed and started again under load (`appendfsync always`)", run, 50)
