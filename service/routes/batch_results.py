"""The routes for the results of a batch: as JSON Lines, as a zip file, and as events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from schemas.jobs import JobState
from service.batches.batch_answer import BatchDep
from service.batches.batch_events import batch_events
from service.batches.receive_batch import JSON_LINES
from service.batches.result_archive import ResultArchive
from service.batches.result_rows import result_lines
from service.dependencies import CallerDep, ServicesDep
from service.event_stream import NoMoreEvents, UntilAnsweredDep
from service.problems import documented

router = APIRouter(tags=["batches"])

_LINES: dict[str, Any] = {JSON_LINES: {"schema": {"$ref": "#/components/schemas/BatchRow"}}}
_ZIP: dict[str, Any] = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
_EVENTS: dict[str, Any] = {"text/event-stream": {"schema": {"$ref": "#/components/schemas/BatchEvent"}}}


@router.get(
    "/v1/batches/{batch_id}/results",
    operation_id="batch_results",
    summary="Read the results of a batch",
    response_class=Response,
    responses={200: {"description": "A line of JSON for each item that has ended.", "content": _LINES}} | documented(404, 422, 503),
)
async def get_batch_results(
    services: ServicesDep,
    caller: CallerDep,
    batch: BatchDep,
    *,
    cursor: Annotated[int, Query(ge=0, description="The `cursor` of the last line that was received. The answer goes on after it.")] = 0,
    state: Annotated[JobState | None, Query(description="Only items in this state are sent.")] = None,
    follow: Annotated[bool, Query(description="If it is true, the answer goes on until the batch has ended.")] = False,
) -> Response:
    """The lines come in the order in which the items ended. If the answer breaks off, ask again with the `cursor` of the last line."""
    lines = services.drain.until_begun(result_lines(services, batch, cursor, state, follow=follow, sign=caller.sign))

    async def content() -> AsyncIterator[bytes]:
        try:
            async for line in lines:
                yield line or b""
        finally:
            await lines.aclose()

    return StreamingResponse(content(), media_type=JSON_LINES)


@router.get(
    "/v1/batches/{batch_id}/artifacts.zip",
    operation_id="batch_archive",
    summary="Download the artifacts of a batch",
    response_class=Response,
    responses={200: {"description": "A zip file with a folder for each item.", "content": _ZIP}} | documented(404, 422, 503),
)
async def get_batch_archive(
    services: ServicesDep,
    batch: BatchDep,
    names: Annotated[
        str,
        Query(
            max_length=2000, description="Names of artifacts, separated by commas. Without them, all are sent.", examples=["overlay,map"]
        ),
    ] = "",
) -> Response:
    """The file is made while it is sent. It has the items that have ended at this moment. The last file in it, `results.jsonl`, has the
    lines of the results, each with the `folder` of the item, and in `missing` the artifacts that no longer exist."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    headers = {"Content-Disposition": f'attachment; filename="batch_{batch.id}.zip"', "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(ResultArchive(services, batch, wanted).chunks(), headers=headers, media_type="application/zip")


async def _events_after(
    batch: BatchDep,
    last_event_id: Annotated[
        int, Header(alias="Last-Event-ID", ge=0, description="The id of the last event that was received. The stream goes on after it.")
    ] = 0,
) -> int:
    if batch.state != "running" and last_event_id > batch.total:
        raise NoMoreEvents
    return min(last_event_id, batch.total)


@router.get(
    "/v1/batches/{batch_id}/events",
    operation_id="batch_events",
    summary="Follow a batch",
    response_class=EventSourceResponse,
    responses={
        200: {"content": _EVENTS},
    }
    | documented(404, 422, 503),
)
async def follow_batch(
    services: ServicesDep, batch: BatchDep, told: Annotated[int, Depends(_events_after)], until_answered: UntilAnsweredDep
) -> AsyncIterator[ServerSentEvent]:
    """The answer is a stream of server-sent events: `item` as each item ends, `counts` at most twice a second, and `done` at the end.
    If `Last-Event-ID` is that of the last event, the answer is 204, which is not listed below."""
    events = services.drain.until_begun(batch_events(services, batch, told))
    until_answered.push_async_callback(events.aclose)
    async for event in events:
        if event is not None:
            yield event
