"""`/v1/events`: one stream of events for many jobs, or for a batch. A browser opens only six connections to a host at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from schemas.errors import InvalidParameters, LimitExceeded, NotFound
from service.auth import OwnerDep
from service.batches.batch_answer import found
from service.batches.batch_events import batch_events
from service.dependencies import Services, ServicesDep
from service.echo import echo
from service.event_stream import NoMoreEvents, UntilAnsweredDep
from service.many_job_events import ManyJobs, many_job_events
from service.problems import documented

router = APIRouter(tags=["jobs"])

_MOST_JOBS = 100
_CONTENT = {
    "text/event-stream": {"schema": {"anyOf": [{"$ref": "#/components/schemas/JobEvent"}, {"$ref": "#/components/schemas/BatchEvent"}]}}
}


async def _stream(
    services: ServicesDep,
    owner: OwnerDep,
    *,
    jobs: Annotated[str | None, Query(description="Ids of jobs, separated by commas, at most 100.", max_length=3000)] = None,
    batch: Annotated[str | None, Query(description="The id of a batch, in place of jobs.", max_length=64)] = None,
    last_event_id: Annotated[
        str | None,
        Header(alias="Last-Event-ID", max_length=2000, description="The id of the last event that was received, for the same jobs."),
    ] = None,
) -> AsyncGenerator[ServerSentEvent | None]:
    if (jobs is None) == (batch is None):
        raise InvalidParameters("Give either jobs or batch.", pointer="/jobs", allowed="ids of jobs, or the id of a batch")
    if batch is not None:
        return await _batch_stream(services, owner, batch, last_event_id)
    ids = list(dict.fromkeys(each.strip() for each in (jobs or "").split(",") if each.strip()))
    if not 1 <= len(ids) <= _MOST_JOBS:
        raise LimitExceeded(
            f"One stream follows 1 to {_MOST_JOBS} jobs; got {len(ids)}.", pointer="/jobs", allowed=f"1 to {_MOST_JOBS}", got=str(len(ids))
        )
    there = await services.store.jobs.read_many(ids, owner)
    if missing := [job_id for job_id in ids if job_id not in there]:
        raise NotFound(f"There is no job '{echo(missing[0])}'.", got=echo(missing[0]))
    many = ManyJobs.resumed(ids, last_event_id)
    if last_event_id is not None and await many.have_told_all(services, owner):
        raise NoMoreEvents
    return many_job_events(services, owner, many)


async def _batch_stream(services: Services, owner: str, batch_id: str, last_event_id: str | None) -> AsyncGenerator[ServerSentEvent | None]:
    batch = found(await services.store.batches.read(batch_id, owner), batch_id)
    told = int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdigit() else 0
    if batch.state != "running" and told > batch.total:
        raise NoMoreEvents
    return batch_events(services, batch, min(told, batch.total))


@router.get(
    "/v1/events",
    operation_id="follow_events",
    summary="Follow many jobs, or a batch",
    response_class=EventSourceResponse,
    responses={
        200: {"content": _CONTENT},
    }
    | documented(404, 422, 503),
)
async def follow_events(
    services: ServicesDep,
    stream: Annotated[AsyncGenerator[ServerSentEvent | None], Depends(_stream)],
    until_answered: UntilAnsweredDep,
) -> AsyncIterator[ServerSentEvent]:
    """The answer is a stream of the events of all the jobs; each event's data names its job as `job_id`. It ends when all jobs have ended.
    With `batch`, it is the stream of that batch. `Last-Event-ID` resumes it if the same jobs are asked for, in the same order.
    If it is that of the last event, the answer is 204, which is not listed below."""
    events = services.drain.until_begun(stream)
    until_answered.push_async_callback(events.aclose)
    async for event in events:
        if event is not None:
            yield event
