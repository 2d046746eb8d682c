"""Jobs and batches of `Client`: the same as those of `AsyncClient`, with methods that wait for their answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from convscope.async_job import AsyncJob
from convscope.background_loop import BackgroundLoop
from convscope.batches import AsyncBatch, BatchItemResult
from convscope.events import Event
from convscope.result import AsyncResult, Result


class Job:
    """A submitted job, as `Client` returns it."""

    def __init__(self, loop: BackgroundLoop, job: AsyncJob) -> None:
        self._loop = loop
        self._job = job

    @property
    def job(self) -> dict[str, Any]:
        """The job as the service last described it."""
        return self._job.job

    @property
    def id(self) -> str:
        """The id of the job."""
        return self._job.id

    @property
    def state(self) -> str:
        """The state of the job when it was last looked at: `queued`, `running`, `succeeded`, `failed`, `canceled` or `expired`."""
        return self._job.state

    @property
    def ended(self) -> bool:
        """True if the state is a final one."""
        return self._job.ended

    def refresh(self) -> Job:
        """Look at the job again, and return the job itself."""
        self._loop.run(self._job.refresh())
        return self

    def wait(self, timeout: float | None = None) -> Result:
        """Wait until the job has ended, and return its result.

        Args:
            timeout: seconds to wait at most; None waits as long as it takes.

        Raises:
            ProblemError: the job failed. The class is that of the error's code.
            JobEndedError: the job was canceled or has expired.
            WaitTimeoutError: the job had not ended in time. It goes on.
        """
        return waited_result(self._loop, self._loop.run(self._job.wait(timeout)))

    def events(self) -> Iterator[Event]:
        """Yield the events of the job up to `done`. A broken stream goes on after the last event."""
        return self._loop.iterate(self._job.events())

    def cancel(self) -> Job:
        """Cancel the job, and return the job itself.

        Raises:
            StateConflictError: the job has ended in another way.
        """
        self._loop.run(self._job.cancel())
        return self

    def delete(self) -> None:
        """Delete the job and its artifacts. A job that has not ended is canceled."""
        self._loop.run(self._job.delete())

    def __repr__(self) -> str:
        return repr(self._job)


class Batch:
    """A batch, as `Client` returns it."""

    def __init__(self, loop: BackgroundLoop, batch: AsyncBatch) -> None:
        self._loop = loop
        self._batch = batch

    @property
    def batch(self) -> dict[str, Any]:
        """The batch as the service last described it."""
        return self._batch.batch

    @property
    def id(self) -> str:
        """The id of the batch."""
        return self._batch.id

    @property
    def state(self) -> str:
        """`running`, `succeeded`, `partial`, `failed`, `canceled` or `expired`, when the batch was last looked at."""
        return self._batch.state

    @property
    def counts(self) -> dict[str, int]:
        """The number of items in each state, when the batch was last looked at."""
        return self._batch.counts

    def refresh(self) -> Batch:
        """Look at the batch again, and return the batch itself."""
        self._loop.run(self._batch.refresh())
        return self

    def wait(self, timeout: float | None = None) -> Batch:
        """Wait until every item has ended, and return the batch itself.

        Raises:
            WaitTimeoutError: the batch had not ended in `timeout` seconds. It goes on.
        """
        self._loop.run(self._batch.wait(timeout))
        return self

    def results(self) -> Iterator[BatchItemResult]:
        """Yield each item as it ends, in the order in which they end, until the batch has ended. A broken answer is resumed."""
        for item in self._loop.iterate(self._batch.results()):
            value = waited_result(self._loop, item.value) if isinstance(item.value, AsyncResult) else item.value
            yield replace(item, value=value)

    def events(self) -> Iterator[Event]:
        """Yield the events of the batch up to `done`. A broken stream goes on after the last event."""
        return self._loop.iterate(self._batch.events())

    def cancel(self) -> Batch:
        """Cancel the items that have not ended, and return the batch itself."""
        self._loop.run(self._batch.cancel())
        return self

    def delete(self) -> None:
        """Delete the batch, its jobs and their artifacts."""
        self._loop.run(self._batch.delete())

    def __repr__(self) -> str:
        return repr(self._batch)


def waited_result(loop: BackgroundLoop, result: AsyncResult) -> Result:
    """Return a result that downloads its artifacts when they are looked at."""
    return Result(result.job, result.fetch, loop.run)
