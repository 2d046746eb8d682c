"""Put the events of many jobs into one stream."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from fastapi.sse import ServerSentEvent

from jobstore.records import StoredEvent
from schemas.errors import VisualizationError
from service.dependencies import Services
from service.event_stream import named_data

_WAITING = 100  # events that have been read and not been sent


@dataclass
class ManyJobs:
    """The jobs that a caller follows together, and the sequence number of the last event of each that was told.

    The id of an event names these numbers, in the order of the jobs: `3.0.12`. So one id resumes all of them.
    """

    ids: Sequence[str]
    told: list[int]

    @classmethod
    def resumed(cls, ids: Sequence[str], event_id: str | None) -> ManyJobs:
        """Return the jobs as they were after an event. An id of another stream is ignored."""
        numbers = [int(part) for part in event_id.split(".")] if event_id and re.fullmatch(r"\d{1,9}(\.\d{1,9})*", event_id) else []
        return cls(ids, numbers if len(numbers) == len(ids) else [0] * len(ids))

    @property
    def event_id(self) -> str:
        return ".".join(map(str, self.told))

    async def have_told_all(self, services: Services, owner: str) -> bool:
        """Tell whether every job has ended and its last event has been told."""
        jobs = services.store.jobs
        told = await asyncio.gather(*(jobs.has_told_all(job_id, owner, after) for job_id, after in zip(self.ids, self.told, strict=True)))
        return all(told)


async def many_job_events(services: Services, owner: str, many: ManyJobs) -> AsyncGenerator[ServerSentEvent]:
    """Yield the events of all jobs as they come, until all have ended."""
    arrived: asyncio.Queue[tuple[int, StoredEvent | None]] = asyncio.Queue(_WAITING)

    async def follow(place: int) -> None:
        events = services.store.jobs.events(many.ids[place], owner, many.told[place])
        try:
            async for event in events:
                if event is not None:
                    await arrived.put((place, event))
        except VisualizationError:
            pass  # the job was deleted
        finally:
            await events.aclose()
        await arrived.put((place, None))

    tasks = [asyncio.create_task(follow(place), name=f"follow job {job_id}") for place, job_id in enumerate(many.ids)]
    try:
        left = len(tasks)
        while left:
            place, event = await arrived.get()
            if event is None:
                left -= 1
                continue
            many.told[place] = event.sequence
            yield ServerSentEvent(raw_data=named_data(event, many.ids[place]), event=event.type, id=many.event_id)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
