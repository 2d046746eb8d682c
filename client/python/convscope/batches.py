"""Many submissions in one request, and their results as they come."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx

from convscope.async_job import LONG_POLL_SECONDS, artifact_fetcher
from convscope.connection import ServiceConnection
from convscope.errors import ConvscopeError, JobEndedError, ProblemError, WaitTimeoutError, problem_error
from convscope.events import Event, follow_events
from convscope.image_input import ImageInput, is_image_id, read_image
from convscope.result import AsyncResult

_INLINE_BYTES = 10 * 1024 * 1024  # the service accepts no larger file as base64
# The service sends nothing while no item ends, so a silence does not mean that the connection is lost.
_SILENCE_SECONDS = 300.0


@dataclass(frozen=True)
class BatchItemResult:
    """An item of a batch that has ended.

    Attributes:
        index: the place of the item in the batch, from 0.
        custom_id: the name that the caller gave the item, or None.
        state: `succeeded`, `failed`, `canceled` or `expired`.
        value: the result, or the error as a value.
    """

    index: int
    custom_id: str | None
    state: str
    value: AsyncResult | ConvscopeError

    def result(self) -> Any:
        """Return the result, or raise the item's error."""
        if isinstance(self.value, ConvscopeError):
            raise self.value
        return self.value


class AsyncBatch:
    """A batch, as `AsyncClient` returns it."""

    def __init__(self, connection: ServiceConnection, batch: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        self._connection = connection
        self._defaults = defaults
        self.batch = dict(batch)

    @property
    def id(self) -> str:
        """The id of the batch."""
        return str(self.batch["id"])

    @property
    def state(self) -> str:
        """`running`, `succeeded`, `partial`, `failed`, `canceled` or `expired`, when the batch was last looked at."""
        return str(self.batch["state"])

    @property
    def counts(self) -> dict[str, int]:
        """The number of items in each state, when the batch was last looked at."""
        return dict(self.batch["counts"])

    async def refresh(self) -> AsyncBatch:
        """Look at the batch again, and return the batch itself."""
        self.batch = (await self._connection.request("GET", self._path)).json()
        return self

    async def wait(self, timeout: float | None = None) -> AsyncBatch:  # noqa: ASYNC109 - the limit has an error of its own
        """Wait until every item has ended, and return the batch itself.

        Raises:
            WaitTimeoutError: the batch had not ended in `timeout` seconds. It goes on.
        """
        until = None if timeout is None else asyncio.get_running_loop().time() + timeout
        while self.state == "running":
            left = LONG_POLL_SECONDS if until is None else min(LONG_POLL_SECONDS, until - asyncio.get_running_loop().time())
            if left <= 0:
                raise WaitTimeoutError(f"Batch {self.id} has not ended within {timeout:g} s. It goes on.")
            params = {"wait": round(left, 3)}
            self.batch = (await self._connection.request("GET", self._path, params=params, read_timeout=left + 15)).json()
        return self

    async def results(self) -> AsyncGenerator[BatchItemResult]:
        """Yield each item as it ends, in the order in which they end, until the batch has ended. A broken answer is resumed."""
        cursor, attempt, waited = "0", 0, 0.0
        while True:
            params = {"cursor": cursor, "follow": "true"}
            error: Exception = httpx.RemoteProtocolError("The answer ended before the batch did.")
            try:
                async with self._connection.stream(f"{self._path}/results", params=params, read_timeout=_SILENCE_SECONDS) as response:
                    async for line in response.aiter_lines():
                        if line.strip():
                            row = json.loads(line)
                            cursor, attempt, waited = row["cursor"], 0, 0.0
                            yield self._item(row)
                await self.refresh()
                if self.state != "running":
                    return
            except (httpx.TransportError, ProblemError) as broken:
                error = broken
            attempt += 1
            waited += await self._connection.pause(attempt, error, waited)

    async def events(self) -> AsyncGenerator[Event]:
        """Yield the events of the batch up to `done`. A broken stream goes on after the last event."""
        async with aclosing(follow_events(self._connection, f"{self._path}/events")) as events:
            async for event in events:
                yield event

    async def cancel(self) -> AsyncBatch:
        """Cancel the items that have not ended, and return the batch itself."""
        self.batch = (await self._connection.request("POST", f"{self._path}/cancel", repeatable=True)).json()
        return self

    async def delete(self) -> None:
        """Delete the batch, its jobs and their artifacts."""
        await self._connection.request("DELETE", self._path)

    @property
    def _path(self) -> str:
        return f"/v1/batches/{self.id}"

    def _item(self, row: Mapping[str, Any]) -> BatchItemResult:
        return BatchItemResult(row["index"], row["custom_id"], row["state"], self._value(row))

    def _value(self, row: Mapping[str, Any]) -> AsyncResult | ConvscopeError:
        if row["state"] == "succeeded":
            job = {"model": "", **self._defaults, **row, "id": row["job_id"]}
            return AsyncResult(job, artifact_fetcher(self._connection, row["job_id"]))
        if row["error"] is not None:
            return problem_error(row["error"])
        return JobEndedError(f"Item {row['index']} has no result, because its state is {row['state']}.", row["state"])

    def __repr__(self) -> str:
        return f"<batch {self.id}: {self.state}, {self.counts}>"


async def batch_lines(defaults: Mapping[str, Any], items: Sequence[tuple[str | None, ImageInput | None]], put: Any) -> AsyncIterator[bytes]:
    """Yield the lines of a batch as JSON. Each photo is read when its line is sent, so that memory stays small.

    Args:
        defaults: the fields that the items share.
        items: the name and the image of each item.
        put: a coroutine function that uploads an `ImageBytes` that is too large for a line.
    """
    yield json.dumps({"defaults": defaults}).encode() + b"\n"
    for custom_id, image in items:
        line: dict[str, Any] = {} if custom_id is None else {"custom_id": custom_id}
        if is_image_id(image):
            line["image"] = {"id": image}
        elif isinstance(image, str) and image.startswith(("https://", "http://")):
            line["image"] = {"url": image}
        elif image is not None:
            file = await read_image(image)
            if len(file.content) > _INLINE_BYTES or file.media_type != "image/*":
                await put(file)
                line["image"] = {"id": file.id}
            else:
                line["image"] = {"base64": base64.b64encode(file.content).decode()}
        yield json.dumps(line).encode() + b"\n"
