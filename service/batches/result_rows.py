"""The results of a batch: a row for each item that has ended, in the order of completion."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from pydantic import JsonValue
from pydantic_core import from_json

from jobstore.batches.records import BatchRecord
from jobstore.job_events import CHECK_EVERY, RETRY_PAUSE
from jobstore.records import JobRecord
from schemas.batches import BatchRow
from schemas.errors import BrokerUnavailable, Expired
from schemas.jobs import JobState
from service.dependencies import Services
from service.problems import problem_of
from service.responses import with_signed_addresses
from service.signed_addresses import Sign

ROWS_TOGETHER = 50
_WITHOUT_ARRAYS = {"artifacts": {"__all__": {"data"}}}


async def rows_from(
    services: Services, batch: BatchRecord, first: int, most: int = ROWS_TOGETHER, *, sign: Sign | None = None
) -> list[tuple[BatchRow, JobRecord | None]]:
    """Return up to `most` rows from the row `first` on, each with its job, or with None if the job no longer exists."""
    stored: list[dict[str, Any]] = [from_json(text) for text in await services.store.batches.rows(batch, first, most)]
    found = await services.store.jobs.read_many([row["job_id"] for row in stored if row["job_id"] is not None], batch.owner)
    jobs = {job_id: with_signed_addresses(job, sign) for job_id, job in found.items()}
    pairs = [(row, jobs.get(row["job_id"] or "")) for row in stored]
    return [(_row(row, job, str(first + place + 1), batch.request_id), job) for place, (row, job) in enumerate(pairs)]


def row_line(row: BatchRow, more: Mapping[str, JsonValue] | None = None) -> bytes:
    """Return a row as one line of JSON, with `more` fields at its end."""
    text = row.model_dump_json(exclude=_WITHOUT_ARRAYS)
    return (text if not more else f"{text[:-1]},{json.dumps(more, ensure_ascii=False)[1:]}").encode() + b"\n"


async def result_lines(
    services: Services, batch: BatchRecord, first: int, state: JobState | None, *, follow: bool, sign: Sign | None
) -> AsyncGenerator[bytes | None]:
    """Yield the rows from `first` on as lines, those of one state if `state` is given. Yield None about every 15 seconds without a row.

    With `follow`, go on until the batch has ended, also after Redis was away.
    """
    with services.store.batches.watch(batch.id) as watch:
        while True:
            try:
                now = await services.store.batches.read(batch.id, batch.owner)
                if now is None:
                    return
                found = await rows_from(services, now, first, sign=sign)
            except BrokerUnavailable:
                await watch.woken(RETRY_PAUSE)
                continue
            first += len(found)
            lines = b"".join(row_line(row) for row, _ in found if state in (None, row.state))
            if lines:
                yield lines
            if not found:
                if not follow or now.state != "running":
                    return
                if not await watch.woken(CHECK_EVERY):
                    yield None


def _row(stored: dict[str, Any], job: JobRecord | None, cursor: str, request_id: str) -> BatchRow:
    state = JobState(stored["state"])
    error = stored.get("error")
    if state is JobState.SUCCEEDED and (job is None or job.state is JobState.EXPIRED):
        state = JobState.EXPIRED
    if state is JobState.FAILED and error is None:
        reason = (
            job.error.as_exception() if job and job.error else Expired("The record of this job has been deleted, and with it the reason.")
        )
        error = problem_of(reason, request_id)
    shown = job if job is not None and state is JobState.SUCCEEDED else None
    return BatchRow(
        index=stored["index"],
        custom_id=stored["custom_id"],
        job_id=stored["job_id"],
        state=state,
        cursor=cursor,
        facts=None if shown is None else shown.facts,
        warnings=() if shown is None else shown.warnings,
        artifacts=() if shown is None else shown.artifacts,
        error=error,
    )
