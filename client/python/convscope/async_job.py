"""A submitted job that is waited for, followed or canceled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from convscope.connection import ServiceConnection
from convscope.errors import JobEndedError, WaitTimeoutError, problem_error
from convscope.events import Event, follow_events
from convscope.result import AsyncResult

LONG_POLL_SECONDS = 30.0
_ENDED = ("succeeded", "failed", "canceled", "expired")


class AsyncJob:
    """A submitted job, as `AsyncClient` returns it."""

    def __init__(self, connection: ServiceConnection, job: Mapping[str, Any]) -> None:
        self._connection = connection
        self.job = dict(job)

    @property
    def id(self) -> str:
        """The id of the job."""
        return str(self.job["id"])

    @property
    def state(self) -> str:
        """The state of the job when it was last looked at: `queued`, `running`, `succeeded`, `failed`, `canceled` or `expired`."""
        return str(self.job["state"])

    @property
    def ended(self) -> bool:
        """True if the state is a final one."""
        return self.state in _ENDED

    async def refresh(self) -> AsyncJob:
        """Look at the job again, and return the job itself."""
        self.job = (await self._connection.request("GET", self._path)).json()
        return self

    async def wait(self, timeout: float | None = None) -> AsyncResult:  # noqa: ASYNC109 - the limit has an error of its own
        """Wait until the job has ended, and return its result.

        Args:
            timeout: seconds to wait at most; None waits as long as it takes.

        Raises:
            ProblemError: the job failed. The class is that of the error's code.
            JobEndedError: the job was canceled or has expired.
            WaitTimeoutError: the job had not ended in time. It goes on.
        """
        until = None if timeout is None else asyncio.get_running_loop().time() + timeout
        while not self.ended:
            left = LONG_POLL_SECONDS if until is None else min(LONG_POLL_SECONDS, until - asyncio.get_running_loop().time())
            if left <= 0:
                raise WaitTimeoutError(f"Job {self.id} has not ended within {timeout:g} s. It goes on.")
            params = {"wait": round(left, 3)}
            self.job = (await self._connection.request("GET", self._path, params=params, read_timeout=left + 15)).json()
        return self._result()

    async def events(self) -> AsyncGenerator[Event]:
        """Yield the events of the job up to `done`. A broken stream goes on after the last event."""
        async with aclosing(follow_events(self._connection, f"{self._path}/events")) as events:
            async for event in events:
                yield event

    async def cancel(self) -> AsyncJob:
        """Cancel the job, and return the job itself.

        Raises:
            StateConflictError: the job has ended in another way.
        """
        self.job = (await self._connection.request("POST", f"{self._path}/cancel", repeatable=True)).json()
        return self

    async def delete(self) -> None:
        """Delete the job and its artifacts. A job that has not ended is canceled."""
        await self._connection.request("DELETE", self._path)

    @property
    def _path(self) -> str:
        return f"/v1/jobs/{quote(self.id, safe='')}"

    def _result(self) -> AsyncResult:
        if self.state == "failed":
            raise problem_error(self.job["error"])
        if self.state != "succeeded":
            raise JobEndedError(f"Job {self.id} has no result, because its state is {self.state}.", self.state)
        return AsyncResult(self.job, artifact_fetcher(self._connection, self.id))

    def __repr__(self) -> str:
        return f"<job {self.id}: {self.job['method']} of {self.job['model']}, {self.state}>"


def artifact_fetcher(connection: ServiceConnection, job_id: str) -> Any:
    """Return a coroutine function that downloads an artifact of a job by its name, in the form in which it is stored."""

    async def fetch(name: str) -> bytes:
        path = f"/v1/jobs/{quote(job_id, safe='')}/artifacts/{quote(name, safe='')}"
        return (await connection.request("GET", path, headers={"Accept": "*/*"})).content

    return fetch
