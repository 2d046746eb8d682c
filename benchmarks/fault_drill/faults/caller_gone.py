"""Let callers of one-line calls leave while they wait. The service, the worker and the model are real."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import httpx

from benchmarks.fault_drill.registry import Fault, Figure, none, within
from benchmarks.fault_drill.site import start_service
from jobstore.records import JobRecord
from schemas.jobs import JobState
from tests.faults.stack import WorkerStack
from tests.wait import until

_FORM = {"model": "tiny", "layer": "relu", "channels": "[0]", "size": "128", "steps": "2048"}
_OWNER = "anonymous"
_STEPS_MORE = 20  # a job that makes so many steps after a caller has left was not stopped by that


async def run(folder: Path, short: bool) -> list[Figure]:
    times = 5 if short else 30
    stack = WorkerStack(folder)
    service: subprocess.Popen[bytes] | None = None
    try:
        stack.start_workers()
        await stack.model()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            service = start_service(listener, stack.variables(), folder / "service.log")
            callers = _Callers(stack, f"http://127.0.0.1:{listener.getsockname()[1]}")
            await until(callers.are_answered, 60)
            await callers.warm_up()
            seconds = sorted([await callers.leave_alone(seed) for seed in range(times)])
            stopped = [await callers.leave_to_another(1000 + seed) for seed in range(times)]
    finally:
        if service is not None:
            service.terminate()
            await asyncio.to_thread(service.wait, 60)
        await stack.close()
    subject = f"the slowest of {times} ascents had stopped after its caller left"
    return [
        within(subject, seconds[-1], 0.5, f", the median {seconds[times // 2]:.2f} s"),
        none("ascents that stopped although a second caller waited", sum(stopped), times),
    ]


class _Callers:
    def __init__(self, stack: WorkerStack, url: str) -> None:
        self._stack, self._url = stack, url

    async def are_answered(self) -> bool:
        try:
            async with self._client() as client:
                return (await client.get("/readyz")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    async def warm_up(self) -> None:
        """Let the worker compile what all ascents of the drill use."""
        async with self._client() as client:
            answer = await client.post("/v1/filters", data={**_FORM, "steps": "2"}, headers={"Prefer": "wait=60"})
        assert answer.status_code == httpx.codes.OK, answer.text

    async def leave_alone(self, seed: int) -> float:
        """Leave an ascent for which nobody else waits, and return the seconds until its worker has dropped it."""
        caller = self._call(seed)
        job = await self._stepping()
        left = time.time()
        await _leave(caller)
        return await self._dropped_at(job) - left

    async def leave_to_another(self, seed: int) -> bool:
        """Leave an ascent for which a second caller waits. Return whether it stopped, and then let the second caller leave, too."""
        first = self._call(seed)
        job = await self._stepping()
        second = self._call(seed)
        await self._until_waited_for_by(2)
        await _leave(first)
        await self._until_waited_for_by(1)
        (joined,) = await self._running()
        assert (joined.execution_id, joined.id == job.id) == (job.execution_id, False), joined
        assert joined.progress is not None
        enough = joined.progress.step + _STEPS_MORE

        async def has_gone_on() -> bool:
            now = await self._stack.store.jobs.read(joined.id, _OWNER)
            assert now is not None
            return now.state.ended or (now.progress is not None and now.progress.step >= enough)

        await until(has_gone_on, 60)
        has_stopped = bool(self._ends_of(job))
        await _leave(second)
        await self._dropped_at(job)
        return has_stopped

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self._url, timeout=90, trust_env=False)

    def _call(self, seed: int) -> asyncio.Task[None]:
        async def call() -> None:
            async with self._client() as client:
                await client.post("/v1/filters", data={**_FORM, "seed": str(seed)}, headers={"Prefer": "wait=60"})

        return asyncio.create_task(call())

    async def _running(self) -> list[JobRecord]:
        return (await self._stack.store.jobs.page(_OWNER, state=JobState.RUNNING))[0]

    async def _until_waited_for_by(self, callers: int) -> None:
        async def are_waiting() -> bool:
            return len(await self._running()) == callers

        await until(are_waiting, 60)

    async def _stepping(self) -> JobRecord:
        """Wait until the only ascent has made its first steps, and return its job."""

        async def has_stepped() -> bool:
            return any(job.progress is not None and job.progress.step > 1 for job in await self._running())

        await until(has_stepped, 60)
        (job,) = await self._running()
        return job

    def _ends_of(self, job: JobRecord) -> list[str]:
        return [each["timestamp"] for each in self._stack.said("execution ended") if each["execution"] == job.execution_id]

    async def _dropped_at(self, job: JobRecord) -> float:
        """Wait until the worker has dropped the job, and return that moment in seconds since 1970."""
        await until(lambda: self._ends_of(job), 60)
        return datetime.fromisoformat(self._ends_of(job)[0]).timestamp()


async def _leave(caller: asyncio.Task[None]) -> None:
    """Close the connection of a caller that waits."""
    assert not caller.done(), caller
    caller.cancel()
    with suppress(asyncio.CancelledError):
        await caller


FAULT = Fault("caller-gone", "Callers leave while they wait for a running ascent", run, 105)
