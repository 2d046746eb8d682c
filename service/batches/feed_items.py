"""Read the items of a batch from its files, and turn them into jobs."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

import structlog
from pydantic_core import to_json

from jobstore.batch_item_place import BatchItemPlace
from jobstore.batches.feeding import LeaseLost
from jobstore.batches.records import BatchRecord, ItemEnd
from jobstore.records import JobRecord
from schemas.batches import BatchEnd
from schemas.errors import Expired, InternalError, InvalidParameters, ModelLoadInterrupted, VisualizationError
from schemas.jobs import JobState
from schemas.problem import Problem
from schemas.url_errors import UrlUnavailable
from service.batches.stored_item import NO_DEFAULTS, StoredItem, submission_of
from service.dependencies import Caller, Services
from service.parse_request import parse_submission
from service.problems import problem_of
from service.request_preferences import RequestPreferences
from service.submit_job import submit

_KEPT_SEGMENTS = 4
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Segment:
    """Items that are stored in one file. `first` is the number of the first one."""

    first: int
    items: tuple[StoredItem, ...]


class BatchItems:
    """The items of one batch."""

    def __init__(self, services: Services, batch: BatchRecord) -> None:
        self._services, self._batch = services, batch
        self._defaults: StoredItem | None = None
        self._segments: OrderedDict[int, Segment] = OrderedDict()

    async def segment(self, number: int) -> Segment:
        """Return a segment. The last few stay in memory.

        Raises:
            Expired: its file is missing.
        """
        if number not in self._segments:
            content = await self._services.store.batch_files.content(self._batch.id, f"s{number}")
            first, *lines = content.splitlines()
            self._segments[number] = Segment(int(first), tuple(map(StoredItem.from_line, lines)))
            if len(self._segments) > _KEPT_SEGMENTS:
                self._segments.popitem(last=False)
        self._segments.move_to_end(number)
        return self._segments[number]

    async def item(self, number: int, segment: int) -> StoredItem:
        """Return the item with this number, which is in this segment."""
        found = await self.segment(segment)
        return found.items[number - found.first]

    async def submit(self, number: int, item: StoredItem) -> JobRecord | ItemEnd | VisualizationError:
        """Submit an item. Return its job; or its end, if it is wrong; or the error, if the item must be tried again later.

        Raises:
            LeaseLost: another service feeds the batch now.
        """
        batch = self._batch
        if item.problem is not None:
            return self.end(number, item, JobState.FAILED, error=item.problem)

        async def assign(job_id: str) -> str:
            return await self._services.store.batch_feeding.assign(batch.id, number, job_id)

        try:
            parsed = await parse_submission(submission_of(item, await self._shared()), self._services.settings)
            if parsed.webhook is not None:
                raise InvalidParameters("A batch has one webhook, and its items have none.", pointer="/webhook", allowed="none", got="one")
            parsed = replace(parsed, holders=(batch.id,))
            if parsed.image_id is not None:
                # The batch holds this file, and the caller need not have uploaded it, so the job gets its content.
                try:
                    content = await self._services.store.images.file(parsed.image_id)
                except Expired:
                    return await self._submitted_before(number)
                parsed = replace(parsed, image=content, image_id=None)
            place = BatchItemPlace(batch.id, number, assign)
            caller = Caller(batch.owner, batch.request_id)
            return (await submit(self._services, caller, parsed, RequestPreferences(None, False, None), 0.0, place=place)).job
        except LeaseLost:
            raise
        except VisualizationError as error:
            if error.retryable and not isinstance(error, ModelLoadInterrupted | UrlUnavailable):
                return error
            return self.end(number, item, JobState.FAILED, error=problem_of(error, batch.request_id))
        except Exception:  # one item must not stop all others
            _log.exception("batch_item_failed", batch_id=batch.id, item=number)
            problem = problem_of(InternalError("The service failed unexpectedly. Its log has the reason."), batch.request_id)
            return self.end(number, item, JobState.FAILED, error=problem)

    async def _submitted_before(self, number: int) -> JobRecord:
        """Return the job of an item whose image is no longer held, because the job has been submitted.

        Raises:
            Expired: there is no such job.
        """
        batch = await self._services.store.batches.read(self._batch.id, self._batch.owner)
        job_id = next((each.job_id for each in batch.pending if each.number == number), None) if batch else None
        job = await self._services.store.jobs.read(job_id, self._batch.owner) if job_id else None
        if job is None:
            raise Expired("The image of this item is missing or damaged.")
        return job

    def end(self, number: int, item: StoredItem, state: JobState, *, job_id: str | None = None, error: Problem | None = None) -> ItemEnd:
        """Return the end of an item in this state."""
        row = BatchEnd(index=number, custom_id=item.custom_id, job_id=job_id, state=state).model_dump(mode="json")
        if error is not None:
            row["error"] = error.model_dump(exclude_none=True)
        counted_as = "succeeded" if state is JobState.SUCCEEDED else "canceled" if state is JobState.CANCELED else "failed"
        return ItemEnd(number, counted_as, to_json(row).decode())

    async def _shared(self) -> StoredItem:
        if self._defaults is None:
            try:
                self._defaults = StoredItem.from_line(await self._services.store.batch_files.content(self._batch.id, "defaults"))
            except Expired:
                self._defaults = NO_DEFAULTS
        return self._defaults
