"""Wait for a job to end, until time is up, the caller has left, or the service drains."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import Request

from jobstore.records import JobRecord
from schemas.errors import NotFound
from service.dependencies import Services
from service.drain import abandon
from service.open_requests import note_job

_T = TypeVar("_T")


class CallerDisconnected(Exception):
    """The caller closed the connection before its answer was there."""


async def wait_until_ended(services: Services, job: JobRecord, seconds: float, request: Request, *, patiently: bool = False) -> JobRecord:
    """Return the job when it has ended. Return it as it is after `seconds` (at most `max_wait`) or when the service drains.

    The body of `request` must have been read. With `patiently`, a drain ends the wait only shortly before it closes the connections.

    Raises:
        CallerDisconnected: the caller of `request` closed the connection first.
        NotFound: somebody deleted the job meanwhile.
    """
    note_job(request.scope, job)
    if job.state.ended or seconds <= 0:
        return job
    seconds = min(seconds, services.settings.max_wait)
    ended = services.store.jobs.wait(job.id, job.owner, seconds, was_unfinished=True)
    waited = await until_answered(services, ended, request, patiently=patiently)
    found = waited.answer if waited else await services.store.jobs.read(job.id, job.owner)
    if found is None:
        raise NotFound(f"Job {job.id} was deleted before it ended.")
    return found


@dataclass(frozen=True)
class Waited(Generic[_T]):
    """The answer of a wait, which may be None."""

    answer: _T


async def until_answered(
    services: Services, wait: Coroutine[Any, Any, _T], request: Request, *, patiently: bool = False
) -> Waited[_T] | None:
    """Return what `wait` answers, or None if the service drains first. The body of `request` must have been read.

    With `patiently`, it goes on waiting in a drain, until shortly before the connections are closed.

    Raises:
        CallerDisconnected: the caller of `request` closed the connection first.
    """
    answered = asyncio.ensure_future(wait)
    drain = services.drain
    draining = asyncio.ensure_future(drain.wait_for_last_call() if patiently else drain.wait())
    left = asyncio.ensure_future(_disconnected(request))
    tasks: list[asyncio.Future[Any]] = [answered, draining, left]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if left.done() and not answered.done():
            left.result()
            raise CallerDisconnected
        return Waited(answered.result()) if answered.done() else None
    finally:
        for task in tasks:
            abandon(task)


async def _disconnected(request: Request) -> None:
    """Return when the caller has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
