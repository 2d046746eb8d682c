"""Replace service and workers by new ones while calls are answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx

from benchmarks.fault_drill.registry import Fault, Figure, none
from benchmarks.fault_drill.site import DrillSite, send_cam
from tests.wait import until


async def run(folder: Path, short: bool) -> list[Figure]:
    rounds = 1 if short else 5
    answers: Counter[str] = Counter()
    jobs: list[str] = []
    async with DrillSite(folder, fast_in_flight=4, drain_delay=1) as site:
        service, workers = site.start_service(), site.start_workers(1, 0.2)
        await site.ready(1)
        await site.answers()
        is_over, started = False, 1

        async def call(caller: int) -> None:
            number = caller * 100_000
            while not is_over:
                number += 1
                try:
                    answer = await send_cam(site.client, number, "wait=60")
                    answers[str(answer.status_code)] += 1
                    jobs.append(answer.headers["location"].split("/")[3])
                except httpx.TransportError as error:
                    answers[type(error).__name__] += 1

        calling = [asyncio.create_task(call(caller)) for caller in range(4)]
        for _ in range(rounds):
            before = sum(answers.values())
            next_service, next_workers = site.start_service(), site.start_workers(1, 0.2)
            started += 1
            await until(lambda started=started: _starts(site) == started, 60)
            await site.ready(2)
            service.terminate()
            workers.terminate()
            statuses = [await asyncio.to_thread(each.wait, 90) for each in (service, workers)]
            assert statuses == [0, 0], statuses
            service, workers = next_service, next_workers
            await until(lambda before=before: sum(answers.values()) > before + 20, 60)
        is_over = True
        await asyncio.gather(*calling)
        records = [await site.store.jobs.read(job_id, "anonymous") for job_id in jobs]
    wasted = sum(record is None or record.attempts != 1 for record in records)
    failed = sum(count for kind, count in answers.items() if kind != "200")
    return [
        Figure("service and workers replaced", "each ends with status 0", f"{rounds} times", True),
        Figure("calls that failed", "none", f"{failed} of {sum(answers.values())} {dict(answers)}", failed == 0),
        none("jobs that needed another attempt", wasted, len(jobs)),
    ]


def _starts(site: DrillSite) -> int:
    return (site.folder / "service.log").read_text("utf-8").count("Application startup complete")


FAULT = Fault("rolling-restart", "SIGTERM: service and workers are replaced one by one under load", run, 100)
