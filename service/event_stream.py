"""End a stream of server-sent events when its caller leaves, and open none where there is nothing more to tell."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import Depends

from jobstore.records import StoredEvent


class NoMoreEvents(Exception):
    """The caller has seen the last event. The answer is 204, which ends an `EventSource` for good."""


def named_data(event: StoredEvent, job_id: str) -> str:
    """Return the data of an event with its name and its job inside.

    So a client whose parser drops the names can tell events apart, and the events of one job are like those of many.
    """
    return f'{{"event":"{event.type}","job_id":"{job_id}",{event.data[1:]}'


async def _until_answered() -> AsyncGenerator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


UntilAnsweredDep = Annotated[AsyncExitStack, Depends(_until_answered)]
"""Closes what is pushed on it when the answer has ended. FastAPI does not close the generator of a caller who left."""
