"""Feed one batch into the queue while this service has its lease, until the batch has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from jobstore.batches.records import BatchRecord, FeedingState, ItemEnd, PendingItem, as_mapping
from jobstore.records import JobRecord
from schemas.errors import BrokerUnavailable, NotFound, StateConflict, StorageFull, VisualizationError
from schemas.jobs import JobState
from service.batches.feed_items import BatchItems
from service.dependencies import Services

_A = TypeVar("_A")
_T = TypeVar("_T")
_BUSY_PAUSE, _IDLE_PAUSE = 0.05, 0.25  # seconds until the batch is looked at again
_RETRY_SECONDS = 5  # if an error that may pass does not say when to try again
_AWAY_PAUSE = 0.5  # seconds until Redis is asked again
_COMPARE_EVERY = 15.0  # seconds between two comparisons with the jobs, in case Redis has lost a note
_KEEP_EVERY = 600.0  # seconds between two prolongations of the held files
_KEPT_LONGER = 3600.0
_TOGETHER = 4  # submissions, cancellations or deletions at the same time
_SUBMITTED_AT_ONCE = 32


class BatchFeed:
    """Turns the items of a batch into jobs as there is room, and ends them when their jobs end."""

    def __init__(self, services: Services, batch: BatchRecord) -> None:
        self._services, self._batch = services, batch
        self._store = services.store
        self._feeding = services.store.batch_feeding
        self._items = BatchItems(services, batch)
        self._waiting = list(batch.pending)  # all may have been submitted; submitting them again does no harm
        self._in_flight: dict[int, PendingItem] = {}
        self._paused_until = 0.0
        self._compared_at = self._kept_at = time.monotonic()
        self._log = structlog.get_logger(__name__).bind(batch_id=batch.id)

    async def run(self) -> None:
        """Feed the batch until it has ended.

        Raises:
            LeaseLost: another service feeds the batch now.
        """
        while True:
            try:
                pause = await self._step()
                if pause is None:
                    return
            except (BrokerUnavailable, StorageFull) as error:
                self._log.warning("batch_put_off", code=error.code, reason=error.detail)
                pause = _AWAY_PAUSE
            await asyncio.sleep(pause)

    async def _step(self) -> float | None:
        """Do what there is to do now. Return the seconds until the next step, or None if the batch has ended."""
        state = await self._feeding.renew(self._batch.id)
        if state.stop == "deleted":
            await self._delete()
            return None
        ended = await self._end_noted()
        if time.monotonic() - self._compared_at >= _COMPARE_EVERY:
            await self._compare()
        if time.monotonic() - self._kept_at >= _KEEP_EVERY:
            await self._keep_files()
        moved = await (self._cancel(state) if state.stop else self._submit(state))
        state = await self._feeding.renew(self._batch.id)
        if state.taken == self._batch.segments and state.pending == 0:
            await self._store.batch_files.release(self._batch.id)
            await self._feeding.finish(self._batch.id)
            self._log.info("batch_ended")
            return None
        return _BUSY_PAUSE if ended or moved else _IDLE_PAUSE

    async def _end_noted(self) -> bool:
        """End the items whose jobs have ended. Return False if there were none."""
        notes = await self._feeding.noted_ends(self._batch.id)
        ends: list[ItemEnd] = []
        for note in notes:
            pending = self._in_flight.pop(note.number, None)
            if pending is None:
                pending = next((each for each in self._waiting if each.number == note.number), None)
            if pending is not None:
                item = await self._items.item(note.number, pending.segment)
                ends.append(self._items.end(note.number, item, JobState(note.state), job_id=note.job_id))
        self._forget({end.number for end in ends})
        await self._feeding.end_items(self._batch.id, ends)
        await self._feeding.forget_notes(self._batch.id, notes)
        return bool(notes)

    async def _compare(self) -> None:
        """Look at the jobs in flight. End items whose jobs have ended unnoticed, and submit those again that Redis has lost."""
        self._compared_at = time.monotonic()
        ends: list[ItemEnd] = []
        for pending in list(self._in_flight.values()):
            job = None if pending.job_id is None else await self._store.jobs.read(pending.job_id, self._batch.owner)
            if job is None:
                del self._in_flight[pending.number]
                self._waiting.append(pending)
            elif job.state.ended:
                item = await self._items.item(pending.number, pending.segment)
                ends.append(self._items.end(pending.number, item, job.state, job_id=job.id))
        self._forget({end.number for end in ends})
        await self._feeding.end_items(self._batch.id, ends)

    async def _submit(self, state: FeedingState) -> bool:
        """Submit items as long as there is room. Return False if nothing was submitted."""
        room = min(self._services.settings.batch_in_flight - len(self._in_flight), _SUBMITTED_AT_ONCE)
        if room <= 0 or time.monotonic() < self._paused_until:
            return False
        if not self._waiting and state.taken < self._batch.segments:
            await self._take(state.taken)
        some, self._waiting = self._waiting[:room], self._waiting[room:]
        try:
            answers = await _together(self._submit_one, some)
        except BaseException:
            self._waiting[:0] = some
            raise
        ends = [answer for answer in answers if isinstance(answer, ItemEnd)]
        for pending, answer in zip(some, answers, strict=True):
            if isinstance(answer, JobRecord):
                self._in_flight[pending.number] = PendingItem(pending.number, pending.segment, answer.id)
            elif isinstance(answer, VisualizationError):
                self._waiting.insert(0, pending)
                self._pause(answer)
        await self._feeding.end_items(self._batch.id, ends)
        return any(not isinstance(answer, VisualizationError) for answer in answers)

    async def _submit_one(self, pending: PendingItem) -> JobRecord | ItemEnd | VisualizationError:
        return await self._items.submit(pending.number, await self._items.item(pending.number, pending.segment))

    async def _take(self, number: int) -> None:
        segment = await self._items.segment(number)
        await self._feeding.take_segment(self._batch.id, number, segment.first, len(segment.items))
        self._waiting += [PendingItem(segment.first + place, number, None) for place in range(len(segment.items))]

    async def _cancel(self, state: FeedingState) -> bool:
        """Cancel the jobs in flight and end the items that have none. Return False if there were none."""
        if not self._waiting and state.taken < self._batch.segments:
            await self._take(state.taken)
        some = [*self._in_flight.values(), *self._waiting]
        are_there = await _together(self._cancel_job, [each.job_id for each in some])
        ends = [
            self._items.end(each.number, await self._items.item(each.number, each.segment), JobState.CANCELED)
            for each, is_there in zip(some, are_there, strict=True)
            if not is_there
        ]
        self._forget({end.number for end in ends})
        await self._feeding.end_items(self._batch.id, ends)
        return bool(some)

    async def _cancel_job(self, job_id: str | None) -> bool:
        """Cancel the job of an item. Return False if there is no such job. Otherwise a note says how it has ended."""
        if job_id is None:
            return False
        try:
            await self._store.jobs.cancel(job_id, self._batch.owner)
        except StateConflict:
            pass  # it has just ended
        except NotFound:
            return False
        return True

    async def _delete(self) -> None:
        """Delete the jobs of the batch, then the batch."""
        pending = [each.job_id for each in as_mapping((*self._waiting, *self._in_flight.values())).values()]
        await _together(self._delete_job, pending)
        first = 0
        while rows := await self._store.batches.job_ids(self._batch, first):
            await _together(self._delete_job, rows)
            await self._feeding.renew(self._batch.id)
            first += len(rows)
        await self._store.batch_files.release(self._batch.id)
        await self._feeding.finish(self._batch.id)
        self._log.info("batch_deleted")

    async def _delete_job(self, job_id: str | None) -> None:
        if job_id is not None:
            await self._store.jobs.delete(job_id, self._batch.owner)

    async def _keep_files(self) -> None:
        self._kept_at = time.monotonic()
        await self._store.batch_files.keep(self._batch.id, self._services.settings.batch_ttl + _KEPT_LONGER)

    def _pause(self, error: VisualizationError) -> None:
        self._paused_until = time.monotonic() + min(error.retry_after or _RETRY_SECONDS, _RETRY_SECONDS)

    def _forget(self, numbers: set[int]) -> None:
        self._waiting = [each for each in self._waiting if each.number not in numbers]
        for number in numbers:
            self._in_flight.pop(number, None)


async def _together(call: Callable[[_A], Awaitable[_T]], arguments: Sequence[_A]) -> list[_T]:
    """Return what `call` returns for each argument. A few calls are under way at a time. An error is raised when all have ended."""
    turns = asyncio.Semaphore(_TOGETHER)

    async def in_turn(argument: _A) -> _T:
        async with turns:
            return await call(argument)

    answers = await asyncio.gather(*map(in_turn, arguments), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]
