"""Let a proxy between convscope and Redis swallow everything for a minute."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.fault_drill.ends import ended_jobs, figures_of_ends
from benchmarks.fault_drill.registry import Fault, Figure, within
from benchmarks.fault_drill.site import DrillSite
from benchmarks.fault_drill.stalling_proxy import StallingProxy
from jobstore.connection import ANSWER_TIMEOUT, LONGEST_BLOCK
from processes.embedded_redis import EmbeddedRedis
from schemas.jobs import JobState
from tests.jobstore.samples import submission
from tests.wait import until


async def run(folder: Path, short: bool) -> list[Figure]:
    stall, jobs = (12.0, 40) if short else (60.0, 200)
    redis = await asyncio.to_thread(EmbeddedRedis.start, folder, appendfsync="always")
    address = urlsplit(redis.url)
    assert address.port is not None
    async with StallingProxy(address.port).running() as proxy:
        url = redis.url.replace(f":{address.port}/", f":{proxy.port}/")
        async with DrillSite(folder, redis=redis, redis_url=url, fast_in_flight=4, max_queued=jobs + 10) as site:
            site.start_service()
            site.start_workers(2, 0.3)
            await site.ready(2)
            await site.answers()
            ids = [(await site.store.jobs.submit(submission(number))).job.id for number in range(jobs)]
            await until(lambda: len(site.said("execution ended")) > 4)
            proxy.stall()
            began = time.monotonic()
            await site.answers(503)
            noticed = time.monotonic() - began
            await asyncio.sleep(max(0.0, stall - noticed))
            before = await _succeeded(site, ids)
            proxy.resume()
            began = time.monotonic()

            async def goes_on() -> bool:
                return await _succeeded(site, ids) > before

            await until(goes_on, 120)
            took = time.monotonic() - began
            records = await ended_jobs(site.store, ids)
            figures = await figures_of_ends(site.store, records)
    return [
        Figure("seconds without Redis", f"{stall:g} are survived", f"{stall:g}", True),
        within("the service said that it is not ready", noticed, LONGEST_BLOCK + ANSWER_TIMEOUT),
        within("work went on after the end", took, 15),
        *figures,
    ]


async def _succeeded(site: DrillSite, ids: list[str]) -> int:
    records = [await site.store.jobs.read(job_id, "ann") for job_id in ids]
    return sum(record is not None and record.state is JobState.SUCCEEDED for record in records)


FAULT = Fault("redis-stall", "Redis is cut off without a word and comes back", run, 60)
