"""JobStore: every state a job can be in and every way from one to the next."""

# Interface agreed on; being implemented.
from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from redis.asyncio import Redis

from jobstore.records import Event, Execution, ImageRecord, JobRecord, QueueDepth, Result, Submission, Submitted
from jobstore.settings import StoreSettings
from schemas.health import WorkerStatus
from schemas.jobs import JobError, JobState
from schemas.methods.base import Lane
from schemas.models import PublishedModel


class JobStore:
    """Raises BrokerUnavailable when Redis does not answer, StorageFull when it or the disk is full."""

    def __init__(self, redis: Redis, settings: StoreSettings) -> None: ...

    @classmethod
    def connect(cls, url: str, settings: StoreSettings) -> JobStore: ...
    async def close(self) -> None: ...
    async def ping(self) -> None: ...

    # --- what the service calls ---
    async def put_image(self, owner: str, content: bytes, format: str, width: int, height: int) -> ImageRecord: ...
    async def image(self, owner: str, image_id: str) -> ImageRecord | None: ...
    async def submit(self, submission: Submission) -> Submitted:
        """QueueFull, CallerLimit, NotFound (image_id), IdempotencyKeyReused, StorageFull"""

    async def job(self, job_id: str, owner: str) -> JobRecord | None: ...
    async def jobs(
        self,
        owner: str,
        *,
        state: JobState | None = None,
        method: str | None = None,
        model: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> tuple[list[JobRecord], str | None]: ...
    async def wait(self, job_id: str, owner: str, seconds: float) -> JobRecord | None:
        """The job, as soon as it has ended, or as it is after `seconds`."""

    async def cancel(self, job_id: str, owner: str) -> JobRecord:
        """The job after it; StateConflict when ended otherwise; NotFound. Already canceled: as it is (state canceled before: caller compares)."""

    async def delete(self, job_id: str, owner: str) -> bool: ...
    def events(self, job_id: str, owner: str, after: int = 0) -> AsyncIterator[Event | None]:
        """The job's events after sequence `after`, live, ending with `done`; None every few seconds without one (so that a ping can be sent)."""

    async def artifact_content(self, job_id: str, owner: str, name: str) -> bytes:
        """Expired (job known, content gone), NotFound."""

    async def queue_depth(self) -> QueueDepth: ...
    async def workers(self) -> list[WorkerStatus]: ...
    async def published_model(self, name: str, digest: str) -> PublishedModel | None: ...
    async def describe(self, name: str, digest: str, seconds: float) -> PublishedModel:
        """Asks a worker to describe the model and waits; NoWorkers, ModelLoadFailed, or the error the describing ended in."""

    # --- what a worker calls ---
    async def claim(self, worker: str, lane: Lane, count: int, block: float) -> list[Execution]:
        """Up to `count` executions, now `running`; high priority first; abandoned ones (lease run out) taken over first.
        Ones past max_attempts end `worker_crashed` here and are not returned; canceled ones are swept away here."""

    async def renew(self, worker: str, executions: Sequence[Execution]) -> list[Execution]:
        """Renews leases; returns those that are no longer ours or no longer wanted (canceled)."""

    async def progress(self, execution: Execution, step: int, total: int, value: float | None = None, preview: bytes | None = None) -> bool:
        """Publishes progress (preview: PNG); False when the execution is canceled or no longer ours: stop."""

    async def complete(self, execution: Execution, result: Result) -> bool: ...
    async def fail(self, execution: Execution, error: JobError) -> bool: ...
    async def release(self, execution: Execution) -> bool:
        """Gives it back to the head of its queue as if never claimed (drain): no attempt is counted."""

    async def image_content(self, execution: Execution) -> bytes: ...
    async def publish_model(self, model: PublishedModel) -> None: ...
    async def heartbeat(self, status: WorkerStatus) -> None: ...
    async def forget_worker(self, worker: str) -> None: ...
    async def sweep(self) -> int:
        """Deletes blobs past their life; returns how many."""
