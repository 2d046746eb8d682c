"""The routes under `/v1/jobs`: submit a job, look at it, follow it, cancel it, list jobs, delete one."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from schemas.errors import BrokerUnavailable, InvalidParameters
from schemas.job_requests import example_request
from schemas.jobs import Job, JobPage, JobState
from schemas.methods import METHODS
from schemas.models import ModelName
from service.dependencies import CallerDep, JobDep, ServicesDep
from service.event_stream import NoMoreEvents, UntilAnsweredDep, named_data
from service.job_wait import wait_until_ended
from service.parse_request import parse_job_request
from service.problems import documented
from service.request_preferences import PreferencesDep
from service.responses import job_headers, job_json, job_response, json_response
from service.submit_job import submit

if TYPE_CHECKING:
    MethodName = str
else:
    MethodName = Literal[tuple(METHODS)]

_log = structlog.get_logger(__name__)
router = APIRouter(tags=["jobs"])

SUBMISSION: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/JobRequest"},
                "examples": {name: {"summary": params.card.title, "value": example_request(name)} for name, params in METHODS.items()},
            },
            "multipart/form-data": {
                "schema": {"$ref": "#/components/schemas/JobRequestForm"},
                "encoding": {"request": {"contentType": "application/json"}},
                "example": {"request": {"method": "grad_cam", "model": "efficientnet_lite0"}, "image": "the bytes of cat.jpg"},
            },
        },
    }
}
JOB_CONTENT: dict[str, Any] = {"application/json": {"schema": {"$ref": "#/components/schemas/Job"}}}


@router.post(
    "/v1/jobs",
    operation_id="submit_job",
    summary="Submit a job",
    status_code=202,
    response_model=Job,
    response_description="The job is accepted. It is queued or it runs.",
    responses={
        200: {
            "description": "The job has ended, because an identical job had a result or because the request waited for it.",
            "content": JOB_CONTENT,
        }
    }
    | documented(400, 404, 413, 415, 422, 429, 502, 503),
    openapi_extra=SUBMISSION,
)
async def submit_job(request: Request, services: ServicesDep, caller: CallerDep, preferences: PreferencesDep) -> Response:
    """The body is JSON, or multipart with that JSON as the part `request` and the image as the file part `image`. A method that takes
    several images reads each file from a part `images`. A file for the model's input NAME is the part `inputs.NAME`."""
    try:
        parsed = await parse_job_request(request, services.settings)
    except InvalidParameters as error:
        raise await services.models.suggest(error) from None
    wait = None if preferences.wait is None else min(preferences.wait, services.settings.max_wait)
    until = time.monotonic() + (wait or 0.0)
    job = (await submit(services, caller, parsed, preferences, wait or 0.0)).job
    job = await wait_until_ended(services, job, until - time.monotonic(), request)
    return job_response(job, 200 if job.state.ended else 202, job_headers(job, wait), sign=caller.sign)


@router.get("/v1/jobs", operation_id="list_jobs", summary="List your jobs", response_model=JobPage, responses=documented(422, 503))
async def list_jobs(
    services: ServicesDep,
    caller: CallerDep,
    *,
    state: Annotated[JobState | None, Query(description="Only jobs in this state are listed.")] = None,
    method: Annotated[MethodName | None, Query(description="Only jobs of this method are listed.")] = None,
    model: Annotated[ModelName | None, Query(description="Only jobs of this model are listed.")] = None,
    cursor: Annotated[
        str | None, Query(max_length=256, description="The `next_cursor` of the page before. Without it, the first page is answered.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="A page has at most this many jobs.")] = 50,
) -> Response:
    """The newest job comes first."""
    jobs, next_cursor = await services.store.jobs.page(caller.owner, state=state, method=method, model=model, cursor=cursor, limit=limit)
    return json_response(f'{{"items":[{",".join(job_json(job, caller.sign) for job in jobs)}],"next_cursor":{json.dumps(next_cursor)}}}')


@router.get("/v1/jobs/{job_id}", operation_id="get_job", summary="Look at a job", response_model=Job, responses=documented(404, 422, 503))
async def get_job(
    request: Request,
    services: ServicesDep,
    caller: CallerDep,
    job: JobDep,
    wait: Annotated[
        float,
        Query(
            ge=0, allow_inf_nan=False, description="The answer waits up to this many seconds for the job's end, at most 60.", examples=[30]
        ),
    ] = 0,
) -> Response:
    """The answer is the job with its state, its progress and its artifacts. It comes at once unless `wait` is given."""
    return job_response(await wait_until_ended(services, job, wait, request), sign=caller.sign)


async def _events_after(
    services: ServicesDep,
    job: JobDep,
    last_event_id: Annotated[
        int, Header(alias="Last-Event-ID", ge=0, description="The id of the last event that was received. The stream goes on after it.")
    ] = 0,
) -> int:
    if last_event_id and job.state.ended and await services.store.jobs.has_told_all(job.id, job.owner, last_event_id):
        raise NoMoreEvents
    return last_event_id


@router.get(
    "/v1/jobs/{job_id}/events",
    operation_id="job_events",
    summary="Follow a job",
    response_class=EventSourceResponse,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"$ref": "#/components/schemas/JobEvent"}}}},
    }
    | documented(404, 422, 503),
)
async def job_events(
    services: ServicesDep,
    job: JobDep,
    until_answered: UntilAnsweredDep,
    told: Annotated[int, Depends(_events_after)],
) -> AsyncIterator[ServerSentEvent]:
    """The answer is a stream of server-sent events: `status`, `progress`, `preview` and `done`. Their ids count from 1. The stream ends
    after `done`. If it ends without `done`, resume it with `Last-Event-ID`. A comment is sent after 15 seconds without an event.
    If `Last-Event-ID` is that of the last event, the answer is 204, which is not listed below."""
    events = services.drain.until_begun(services.store.jobs.events(job.id, job.owner, told))
    until_answered.push_async_callback(events.aclose)  # FastAPI does not close the generator of a caller who left
    try:
        async for event in events:
            if event is not None:
                yield ServerSentEvent(raw_data=named_data(event, job.id), event=event.type, id=str(event.sequence))
    except BrokerUnavailable as error:
        _log.warning("event_stream_broken", job_id=job.id, reason=error.detail)


@router.post(
    "/v1/jobs/{job_id}/cancel",
    operation_id="cancel_job",
    summary="Cancel a job",
    status_code=202,
    response_model=Job,
    response_description="The job is canceled. If it was running, its work stops at the next slice.",
    responses={200: {"description": "The job was canceled before.", "content": JOB_CONTENT}} | documented(404, 409, 503),
)
async def cancel_job(services: ServicesDep, caller: CallerDep, job: JobDep) -> Response:
    """The work goes on if another job needs the same result."""
    before = job.state
    canceled = await services.store.jobs.cancel(job.id, job.owner)
    return job_response(canceled, 200 if before is JobState.CANCELED else 202, sign=caller.sign)


@router.delete(
    "/v1/jobs/{job_id}",
    operation_id="delete_job",
    summary="Delete a job and its artifacts",
    status_code=204,
    responses=documented(404, 503),
)
async def delete_job(services: ServicesDep, job: JobDep) -> Response:
    """A job that has not ended is canceled. Artifacts that an identical job has, too, are kept for that job."""
    await services.store.jobs.delete(job.id, job.owner)
    return Response(status_code=204)
