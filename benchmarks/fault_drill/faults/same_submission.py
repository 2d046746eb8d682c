"""Submit the same work fifty times at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.fault_drill.registry import Fault, Figure
from benchmarks.fault_drill.site import DrillSite, send_cam
from tests.wait import until

_TIMES = 50


async def run(folder: Path, short: bool) -> list[Figure]:
    async with DrillSite(folder) as site:
        site.start_service()
        site.start_workers(2, 0.5)
        await site.ready(2)
        await site.answers()
        with_key = await asyncio.gather(*(send_cam(site.client, 1, **{"Idempotency-Key": "one"}) for _ in range(_TIMES)))
        without = await asyncio.gather(*(send_cam(site.client, 2, "wait=60") for _ in range(_TIMES)))
        ids = {answer.json().get("id", answer.text) for answer in with_key}
        await until(lambda: len(site.said("execution ended")) >= 2)
        await asyncio.sleep(1.0)  # another execution would have begun by now
        began = len(site.said("execution began"))
    statuses = sorted({answer.status_code for answer in without})
    return [
        Figure(f"jobs of {_TIMES} submissions with one idempotency key", "1", f"{len(ids)}", len(ids) == 1),
        Figure(f"answers to {_TIMES} equal calls that wait", "200", f"{statuses}", statuses == [200]),
        Figure("executions of both", "2", f"{began}", began == 2),
    ]


FAULT = Fault("same-submission", f"The same submission comes {_TIMES} times at once", run, 120)
