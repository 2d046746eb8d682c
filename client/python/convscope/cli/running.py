"""Work through the items of a run: each by itself, or in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from convscope.batches import AsyncBatch
from convscope.cli.planning import RunItem, RunRequest
from convscope.cli.recording import Outcome, RunRecorder, RunStopped
from convscope.cli.submitting import Answer, PreparedCall, RunClient
from convscope.errors import ConvscopeError

# The service takes up to 10,000 items. Smaller batches show their first results earlier, and less is sent again if a request breaks.
_BATCH_ITEMS = 1000
_BATCHES_AT_ONCE = 2
# A larger file, or an array, would be uploaded while the batch is sent, and its refusal would end the whole request.
_LARGEST_IN_BATCH = 10 * 1024 * 1024
_CANCEL_SECONDS = 10.0


async def run_singly(client: RunClient, request: RunRequest, items: Sequence[RunItem], callers: int, recorder: RunRecorder) -> None:
    """Run the items, `callers` of them at the same time.

    Meanwhile as many others are read, and the results of at most as many others are written. So the next photo is on its way as soon as
    an answer has come.

    Raises:
        RunStopped: the run cannot go on.
    """
    ready, places = asyncio.Queue[tuple[RunItem, PreparedCall] | None](callers), asyncio.Semaphore(callers)

    async def read() -> None:
        for item in items:
            await ready.put((item, await client.prepared(request, item)))
        for _ in range(callers):
            await ready.put(None)

    async def start(group: asyncio.TaskGroup) -> None:
        async def call() -> None:
            while (each := await ready.get()) is not None:
                item, prepared = each
                answer = await client.call(request, item, prepared, recorder.save)
                await places.acquire()
                group.create_task(_keep_answer(client, recorder, item, answer, places))

        group.create_task(read())
        for _ in range(callers):
            group.create_task(call())

    await _in_group(start)


async def _keep_answer(client: RunClient, recorder: RunRecorder, item: RunItem, answer: Answer, places: asyncio.Semaphore) -> None:
    await _keep(recorder, item, client.outcome_of(answer), places)


async def _keep(recorder: RunRecorder, item: RunItem, outcome: Outcome, places: asyncio.Semaphore) -> None:
    try:
        await recorder.ended(item, outcome)
    finally:
        places.release()


async def run_in_batches(client: RunClient, request: RunRequest, items: Sequence[RunItem], callers: int, recorder: RunRecorder) -> None:
    """Hand the items to the service in batches, and write the results as they come, `callers` of them at the same time.

    A batch that is interrupted is canceled.

    Raises:
        RunStopped: the run cannot go on.
    """
    fitting: list[RunItem] = []
    others: list[RunItem] = []
    for item in items:
        (fitting if _fits_in_batch(item) else others).append(item)
    source, places = iter(fitting), asyncio.Semaphore(callers)

    async def follow() -> None:
        while chunk := list(islice(source, _BATCH_ITEMS)):
            await _run_batch(client, request, chunk, places, recorder)

    async def start(group: asyncio.TaskGroup) -> None:
        for _ in range(_BATCHES_AT_ONCE):
            group.create_task(follow())
        group.create_task(run_singly(client, request, others, callers, recorder))

    await _in_group(start)


async def _run_batch(
    client: RunClient, request: RunRequest, items: Sequence[RunItem], places: asyncio.Semaphore, recorder: RunRecorder
) -> None:
    photos = [Path(str(item.photo)) for item in items]
    try:
        batch = await client.batch(request.method, photos, model=request.model, priority=request.priority, **request.params)
    except OSError as error:
        raise RunStopped(f"A photo could not be read while its batch was sent: {error}") from error
    except ConvscopeError as error:
        raise RunStopped(f"The service did not take the batch. {error}") from error

    async def follow(group: asyncio.TaskGroup) -> None:
        async with aclosing(batch.results()) as results:
            async for result in results:
                await places.acquire()
                group.create_task(_keep(recorder, items[result.index], result.value, places))

    try:
        await _in_group(follow)
    except ConvscopeError as error:
        raise RunStopped(f"The results of the batch {batch.id} cannot be read. {error}") from error
    except BaseException:
        await _cancel(batch)
        raise


async def _cancel(batch: AsyncBatch) -> None:
    with suppress(ConvscopeError, TimeoutError):
        async with asyncio.timeout(_CANCEL_SECONDS):
            await batch.cancel()


def _fits_in_batch(item: RunItem) -> bool:
    if not isinstance(item.photo, str) or item.photo.endswith(".npy"):
        return False
    try:
        with Path(item.photo).open("rb") as file:
            return file.seek(0, 2) <= _LARGEST_IN_BATCH
    except OSError:
        return False  # its own call fails with this error


async def _in_group(start: Callable[[asyncio.TaskGroup], Coroutine[Any, Any, None]]) -> None:
    """Run `start(group)` and the tasks that it creates. The first error of one ends the others, and is raised by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            await start(group)
    except BaseExceptionGroup as errors:
        stopped = errors.subgroup((RunStopped, ConvscopeError))
        if stopped is None:
            raise
        raise _first(stopped) from None


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first  # pyright: ignore[reportUnknownArgumentType]
