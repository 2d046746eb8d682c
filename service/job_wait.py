"""Waiting for a job to end, no longer than anyone wants it."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request

from jobstore.records import JobRecord
from schemas.errors import NotFound
from service.dependencies import Services
from service.drain import abandon


class CallerDisconnected(Exception):
    """The connection was closed while its answer was waited for."""


async def wait_until_ended(services: Services, job: JobRecord, seconds: float, request: Request | None = None) -> JobRecord:
    """The job as soon as it has ended, or as it is after `seconds` (at most `max_wait`) or when the service drains.

    Raises:
        CallerDisconnected: the caller of `request` left first.
    """
    if job.state.ended or seconds <= 0:
        return job
    ended = asyncio.ensure_future(services.store.jobs.wait(job.id, job.owner, min(seconds, services.settings.max_wait)))
    draining = asyncio.ensure_future(services.drain.wait())
    left = asyncio.ensure_future(_disconnected(request)) if request is not None else None
    tasks: list[asyncio.Future[Any]] = [task for task in (ended, draining, left) if task is not None]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if left is not None and left.done() and not ended.done():
            left.result()
            raise CallerDisconnected
        found = ended.result() if ended.done() else await services.store.jobs.read(job.id, job.owner)
    finally:
        for task in tasks:
            abandon(task)
    if found is None:
        raise NotFound(f"Job {job.id} was deleted while its end was waited for.")
    return found


async def _disconnected(request: Request) -> None:
    """Returns when the caller has closed the connection; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
