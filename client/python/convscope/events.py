"""The events of a job or a batch, read from a stream that is resumed when it breaks."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import EventSource

from convscope.connection import ServiceConnection
from convscope.errors import ProblemError

# The service sends a comment after 15 seconds without an event.
_SILENCE_SECONDS = 45.0


@dataclass(frozen=True)
class Event:
    """An event of a job or a batch.

    Attributes:
        name: `status`, `progress`, `preview` or `done` for a job; `item`, `counts` or `done` for a batch.
        id: the number of the event in its stream.
        data: what the event tells, as `docs/http.md` lists it.
    """

    name: str
    id: str
    data: dict[str, Any]


async def follow_events(connection: ServiceConnection, path: str, last_event_id: str = "") -> AsyncGenerator[Event]:
    """Yield the events of a stream up to `done`. If the stream breaks, it goes on after the last event.

    Raises:
        ProblemError: the service refuses the stream.
        NetworkError: the stream broke again and again without a new event.
    """
    attempt, waited = 0, 0.0
    while True:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        error: Exception = httpx.RemoteProtocolError("The stream ended before its last event.")
        try:
            async with connection.stream(path, headers=headers, read_timeout=_SILENCE_SECONDS) as response:
                if response.status_code == 204:
                    return
                async for event in EventSource(response).aiter_sse():
                    attempt, waited = 0, 0.0
                    last_event_id = event.id or last_event_id
                    yield Event(event.event, event.id, json.loads(event.data))
                    if event.event == "done":
                        return
        except (httpx.TransportError, ProblemError) as broken:
            error = broken
        attempt += 1
        waited += await connection.pause(attempt, error, waited)
