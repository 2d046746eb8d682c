"""Make one attempt at a claimed execution: run it, and store how it ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from jobstore.records import Execution, Result
from jobstore.store import JobStore
from schemas.errors import JobTimeout, StorageFull
from schemas.jobs import JobError, Progress
from telemetry.logs import get_logger
from telemetry.traces import NO_TRACES, Span, Traces, here, queue_attributes
from workers.contract.arrays import UInt8
from workers.contract.progress import Slice
from workers.execution.device_budget import DeviceBudget
from workers.execution.job_errors import is_internal, job_error
from workers.execution.model_access import OnLoading, ignore_loading
from workers.execution.progress import ProgressReporter
from workers.execution.retry import retry_until_available
from workers.settings import WorkerSettings

PIECES_KEPT = "Its finished parts are kept. If the job is submitted again, it continues from there."


class ExecutionRunner(Protocol):
    """Runs executions; `workers.execution.pipeline.Pipeline` is the real one. `budget` limits the time that a job is on the device."""

    async def run(self, execution: Execution, on_slice: Callable[[Slice], None], budget: DeviceBudget, on_loading: OnLoading) -> Result: ...
    async def encode_preview(self, image: UInt8) -> bytes: ...


class Attempts:
    """Makes attempts; any number of them can run at once."""

    def __init__(self, store: JobStore, runner: ExecutionRunner, settings: WorkerSettings, traces: Traces = NO_TRACES) -> None:
        self._store, self._runner, self._settings, self._traces = store, runner, settings, traces
        self._log = get_logger(__name__)

    async def make(self, execution: Execution, on_unwanted: Callable[[], None], on_loading: OnLoading = ignore_loading) -> str:
        """Run the execution and store its result or its error.

        Return `succeeded`, `failed`, or `superseded` if the store refused the outcome, because the job was canceled or another worker
        has taken the execution over. `on_unwanted` is called if the store says the same while the job runs. The caller of `make` should
        then cancel it. `on_loading` is told when the job waits for its model.
        """
        attributes = _attributes(execution)
        with self._traces.span(f"process {execution.lane}", attributes, kind="consumer", parent=execution.traceparent) as processing:
            if execution.claim == 1:  # later, the time in the queue would hold that of earlier attempts
                here().record("queue", (int(execution.queued_at.timestamp() * 1e9), time.time_ns()), {})
            outcome = await self._make(execution, on_unwanted, on_loading, processing)
            processing.note({"convscope.outcome": outcome})
            return outcome

    async def _make(self, execution: Execution, on_unwanted: Callable[[], None], on_loading: OnLoading, processing: Span) -> str:
        keeps_pieces = False
        last: Slice | None = None

        def on_slice(state: Slice) -> None:
            nonlocal keeps_pieces, last
            keeps_pieces, last = keeps_pieces or bool(state.pieces), state
            reporter.update(state)

        reporter = self._reporter(execution, on_unwanted)
        reporting = asyncio.create_task(reporter.run())
        budget, limit = DeviceBudget(self._settings.job_device_seconds), asyncio.timeout(self._settings.job_timeout)
        try:
            async with limit:
                result = await self._runner.run(execution, on_slice, budget, on_loading)
        except Exception as error:
            failure = self._wall_timeout(budget) if limit.expired() else error
            if isinstance(failure, JobTimeout) and keeps_pieces:
                failure = JobTimeout(f"{failure.detail} {PIECES_KEPT}")
            if is_internal(failure):
                self._log.exception("execution failed")
            return await self._fail(execution, job_error(failure), processing)
        finally:
            reporting.cancel()
        return await self._complete(execution, _finished(result, last), processing)

    def _reporter(self, execution: Execution, on_unwanted: Callable[[], None]) -> ProgressReporter:
        return ProgressReporter(
            lambda state, preview: self._store.queue.progress(execution, state.step, state.total, state.value, preview),
            self._runner.encode_preview,
            on_unwanted,
            interval=self._settings.progress_interval,
            preview_interval=self._settings.preview_interval,
        )

    def _wall_timeout(self, budget: DeviceBudget) -> JobTimeout:
        return JobTimeout(
            f"The job was stopped {self._settings.job_timeout:g} s after it had begun, which is the longest time allowed "
            f"(CONVSCOPE_JOB_TIMEOUT). It had used {budget.used:.1f} s of the device, of at most {self._settings.job_device_seconds:g} s."
        )

    async def _complete(self, execution: Execution, result: Result, processing: Span) -> str:
        try:
            with self._traces.span("store"):
                stored = await retry_until_available(lambda: self._store.queue.complete(execution, result))
        except StorageFull as error:
            detail = f"There is no room to store the result: {error.detail}"
            return await self._fail(execution, JobError(code="storage_full", detail=detail, retryable=True), processing)
        return "succeeded" if stored else "superseded"

    async def _fail(self, execution: Execution, failure: JobError, processing: Span) -> str:
        processing.fail(failure.code)
        self._log.warning("job failed", code=failure.code, detail=failure.detail)
        with self._traces.span("store"):
            stored = await retry_until_available(lambda: self._store.queue.fail(execution, failure), StorageFull)
        return "failed" if stored else "superseded"


def _attributes(execution: Execution) -> dict[str, str | int]:
    return {
        **queue_attributes("process", execution.lane),
        "messaging.message.id": execution.key,
        "convscope.request_id": execution.request_id,
        "convscope.method": execution.method,
        "convscope.model": execution.model,
        "convscope.attempt": execution.attempt,
    }


def _finished(result: Result, last: Slice | None) -> Result:
    """Return the result with the progress of its last slice, and all steps done. A fast job is one step."""
    return result if last is None else replace(result, progress=Progress(step=last.total, total=last.total, value=last.value))
