"""Find the batch that an address names, and turn it into what a caller sees."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path

from jobstore.batches.records import BatchRecord
from schemas.batches import Batch, BatchCounts
from schemas.errors import NotFound
from service.auth import OwnerDep
from service.dependencies import Services, ServicesDep
from service.echo import echo


async def _batch(
    batch_id: Annotated[str, Path(description="This is the id that `POST /v1/batches` answered.", examples=["01K5YQZ7T8Y1W4V9N3M2XQJ6RD"])],
    services: ServicesDep,
    owner: OwnerDep,
) -> BatchRecord:
    return found(await services.store.batches.read(batch_id, owner), batch_id)


BatchDep = Annotated[BatchRecord, Depends(_batch)]


def found(batch: BatchRecord | None, batch_id: str) -> BatchRecord:
    """Return the batch, which must be there.

    Raises:
        NotFound: it is None.
    """
    if batch is None:
        raise NotFound(
            f"There is no batch '{echo(batch_id)}'. It was never made, or it was deleted, or it has expired.", got=echo(batch_id)
        )
    return batch


async def batch_answer(services: Services, batch: BatchRecord) -> Batch:
    """Return the batch as its owner sees it."""
    has_expired = batch.state in ("succeeded", "partial") and batch.expires_at <= datetime.now(UTC)
    return Batch(
        id=batch.id,
        state="expired" if has_expired else batch.state,
        counts=await counts_of(services, batch),
        canceling=batch.state == "running" and batch.stop is not None,
        created_at=batch.created_at,
        finished_at=batch.finished_at,
        expires_at=batch.expires_at,
    )


async def counts_of(services: Services, batch: BatchRecord) -> BatchCounts:
    """Return how many items of the batch are in each state."""
    running = await services.store.batches.running(batch) if batch.state == "running" else 0
    return BatchCounts(
        total=batch.total,
        queued=max(0, batch.total - batch.ended - running),
        running=running,
        succeeded=batch.succeeded,
        failed=batch.failed,
        canceled=batch.canceled,
    )
