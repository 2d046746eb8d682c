"""Callers, workers and followers of one store. All of them go on while Redis is away."""

from __future__ import annotations

import asyncio
import time

from jobstore.records import Execution, Submitted
from jobstore.store import JobStore
from schemas.errors import BrokerUnavailable
from tests.jobstore.samples import result, submission

_PAUSE = 0.01  # seconds between two tries while Redis is away


class StoreLoad:
    """Submits `jobs` jobs, works on them and follows them, until `is_finished` is set."""

    def __init__(self, store: JobStore, jobs: int) -> None:
        self.store, self.jobs = store, jobs
        self.accepted: list[str] = []
        self.accepted_at: list[float] = []
        self.seen: dict[str, list[tuple[int, str, str]]] = {}
        self.refusals = 0
        self.is_finished = False

    async def submit_all(self) -> None:
        for number in range(self.jobs):
            self.accepted.append((await self._submit_until_accepted(number)).job.id)
            self.accepted_at.append(time.monotonic())
            await asyncio.sleep(0.005)

    async def work(self, worker: str) -> None:
        while not self.is_finished:
            try:
                for execution in await self.store.queue.claim(worker, "fast", 4, 0.2):
                    await self._complete(execution)
            except BrokerUnavailable:
                await asyncio.sleep(_PAUSE)

    async def follow(self, job_id: str) -> None:
        """Follow a job as a browser does: after a lost connection, go on after the last event."""
        seen = self.seen.setdefault(job_id, [])
        while not seen or seen[-1][1] != "done":
            try:
                async for event in self.store.jobs.events(job_id, "ann", after=seen[-1][0] if seen else 0):
                    if event is not None:
                        seen.append((event.sequence, event.type, event.data))
            except BrokerUnavailable:
                await asyncio.sleep(_PAUSE)

    async def _submit_until_accepted(self, number: int) -> Submitted:
        given = submission(number, idempotency_key=f"key {number}", body_digest=f"{number}")
        while True:
            try:
                return await self.store.jobs.submit(given)
            except BrokerUnavailable:
                self.refusals += 1
                await asyncio.sleep(_PAUSE)

    async def _complete(self, execution: Execution) -> None:
        while True:
            try:
                await self.store.queue.complete(execution, result(execution.key.encode()))
                return
            except BrokerUnavailable:
                await asyncio.sleep(_PAUSE)
