"""Submit jobs until the memory of Redis is full."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from benchmarks.fault_drill.registry import Fault, Figure
from benchmarks.fault_drill.site import DrillSite, send_cam
from processes.embedded_redis import EmbeddedRedis
from schemas.errors import StorageFull
from tests.jobstore.samples import submission

_MEMORY = 6 * 2**20
_AFTER = 50  # calls that are sent when the memory is full


async def run(folder: Path, short: bool) -> list[Figure]:
    redis = await asyncio.to_thread(EmbeddedRedis.start, folder, appendfsync="always", max_memory=_MEMORY)
    async with DrillSite(folder, redis=redis, max_queued=1_000_000) as site:
        site.start_service()
        await site.ready(0)
        await site.answers()
        first = (await send_cam(site.client, 0)).json()["id"]
        filled = await _fill(site)
        answers = [await send_cam(site.client, number) for number in range(1, _AFTER + 1)]
        reads = Counter([(await site.client.get(path)).status_code for path in (f"/v1/jobs/{first}", "/v1/jobs", "/v1/models")])
    statuses = Counter(answer.status_code for answer in answers)
    reasons = Counter(answer.json().get("code", "accepted") for answer in answers)
    silent = sum(answer.status_code == 503 and "retry-after" not in answer.headers for answer in answers)
    return [
        Figure("jobs that waited when the memory was full", "some", f"{filled:,} in {_MEMORY / 2**20:g} MiB", filled > 0),
        Figure(
            f"answers to {_AFTER} submissions",
            "503, or 202 where a little room is left",
            f"{dict(statuses)}",
            statuses[503] > 0 and set(statuses) <= {202, 503},
        ),
        Figure("reasons of the refusals", "storage_full", f"{dict(reasons)}", set(reasons) <= {"storage_full", "accepted"}),
        Figure("refusals without Retry-After", "none", f"{silent}", silent == 0),
        Figure("reading while Redis is full", "200", f"{dict(reads)}", set(reads) == {200}),
    ]


async def _fill(site: DrillSite) -> int:
    """Submit jobs to the store until it has refused one, and return how many it has taken."""
    number = 0
    while True:
        try:
            await site.store.jobs.submit(submission(number))
        except StorageFull:
            return number
        number += 1


FAULT = Fault("redis-full", "The memory of Redis is full (`noeviction`)", run, 70)
