"""Submit ten times as many jobs as the queue holds. Some are accepted and must be done, and the rest must be refused fast."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import httpx
import numpy as np

from benchmarks.engine_alone import MODEL
from benchmarks.load.site import site
from benchmarks.noisy_photos import noisy_photos

_QUEUED, _TIMES, _AT_ONCE = 40, 10, 32


@dataclass(frozen=True)
class Overflow:
    """Says what became of the submissions. Times are in milliseconds."""

    room: int
    submitted: int
    accepted: int
    refused: int
    refused_without_retry_after: int
    finished: int
    refusal_p50: float
    refusal_p95: float


def overflow(workers: int) -> Overflow:
    """Submit ten times as many Grad-CAM jobs as a queue of 40 holds, 32 at a time, and wait for those that were accepted."""
    with site(workers, {"CONVSCOPE_MAX_QUEUED": str(_QUEUED)}) as url:
        return asyncio.run(_submit(url))


async def _submit(url: str) -> Overflow:
    gate, photos = asyncio.Semaphore(_AT_ONCE), noisy_photos(_QUEUED * _TIMES, 7)
    limits = httpx.Limits(max_connections=_AT_ONCE)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as client:

        async def submit(photo: bytes) -> tuple[httpx.Response, float]:
            async with gate:
                began = time.perf_counter()
                answer = await client.post(
                    "/v1/grad_cam", data={"model": MODEL}, files={"image": photo}, headers={"Prefer": "respond-async"}
                )
                return answer, 1000 * (time.perf_counter() - began)

        answers = await asyncio.gather(*(submit(photo) for photo in photos))
        accepted = [answer for answer, _ in answers if answer.status_code == 202]
        refused = [(answer, spent) for answer, spent in answers if answer.status_code in {429, 503}]
        if len(accepted) + len(refused) != len(photos):
            raise SystemExit(f"The service has answered {sorted({answer.status_code for answer, _ in answers})}.")
        states = await asyncio.gather(*(_end_of(client, answer.headers["location"]) for answer in accepted))
    times = [spent for _, spent in refused] or [0.0]
    silent = sum("retry-after" not in answer.headers for answer, _ in refused)
    p50, p95 = (round(float(np.percentile(times, percent)), 1) for percent in (50, 95))
    return Overflow(_QUEUED, len(photos), len(accepted), len(refused), silent, states.count("succeeded"), p50, p95)


async def _end_of(client: httpx.AsyncClient, location: str) -> str:
    while True:
        job = (await client.get(location, params={"wait": 30})).json()
        if job["state"] not in {"queued", "running"}:
            return job["state"]
