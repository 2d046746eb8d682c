"""One attempt at a claimed execution: run, and how it ended stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from jobstore.records import Execution, Result
from jobstore.store import JobStore
from schemas.errors import JobTimeout, StorageFull
from schemas.jobs import JobError
from telemetry.logs import get_logger
from workers.contract.arrays import UInt8
from workers.contract.progress import Slice
from workers.execution.failures import is_internal, job_error
from workers.execution.progress import Reporter
from workers.execution.retry import when_available
from workers.settings import WorkerSettings


class Runs(Protocol):
    """What carries a job out (`workers.execution.pipeline.Runner`)."""

    async def run(self, execution: Execution, on_slice: Callable[[Slice], None]) -> Result: ...
    async def encode_preview(self, image: UInt8) -> bytes: ...


class Attempts:
    """Makes attempts, any number at once."""

    def __init__(self, store: JobStore, runner: Runs, settings: WorkerSettings) -> None:
        self._store, self._runner, self._settings = store, runner, settings
        self._log = get_logger(__name__)

    async def make(self, execution: Execution, unwanted: Callable[[], None]) -> str:
        """`succeeded`, `failed`, or `superseded` where the store refused the end: canceled meanwhile, or another worker has it.

        `unwanted` is called when the store answers a progress report so; whoever calls `make` then cancels it.
        """
        keeps = False

        def told(state: Slice) -> None:
            nonlocal keeps
            keeps = keeps or bool(state.pieces)
            reporter.update(state)

        reporter = Reporter(
            lambda state, preview: self._store.queue.progress(execution, state.step, state.total, state.value, preview),
            self._runner.encode_preview,
            unwanted,
            interval=self._settings.progress_interval,
            preview_interval=self._settings.preview_interval,
        )
        reporting = asyncio.create_task(reporter.run())
        limit = asyncio.timeout(self._settings.job_timeout)
        try:
            async with limit:
                result = await self._runner.run(execution, told)
        except Exception as error:
            failure = job_error(error)
            if limit.expired():
                kept = " What it had finished is kept: submitted again, it goes on from there." if keeps else ""
                longest = f"The job ran for {self._settings.job_timeout:g} s, the longest allowed, and was stopped."
                failure = job_error(JobTimeout(longest + kept))
            elif is_internal(error):
                self._log.exception("execution failed")
            return await self._fail(execution, failure)
        finally:
            reporting.cancel()
        try:
            stored = await when_available(lambda: self._store.queue.complete(execution, result))
        except StorageFull as error:
            return await self._fail(execution, JobError(code="internal", detail=f"No room for the result: {error.detail}", retryable=True))
        return "succeeded" if stored else "superseded"

    async def _fail(self, execution: Execution, failure: JobError) -> str:
        self._log.warning("job failed", code=failure.code, detail=failure.detail)
        stored = await when_available(lambda: self._store.queue.fail(execution, failure), StorageFull)
        return "failed" if stored else "superseded"
