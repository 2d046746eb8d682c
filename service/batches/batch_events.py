"""The event stream of a batch."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator

from fastapi.sse import ServerSentEvent
from pydantic_core import from_json

from jobstore.batches.records import BatchRecord
from jobstore.job_events import CHECK_EVERY, RETRY_PAUSE
from schemas.batch_events import BatchDoneEvent, CountsEvent, ItemEvent
from schemas.batches import BatchCounts
from schemas.errors import BrokerUnavailable
from service.batches.batch_answer import batch_answer
from service.dependencies import Services

_COUNTS_EVERY = 0.5  # seconds between two events `counts` at least
_TOGETHER = 100


async def batch_events(services: Services, batch: BatchRecord, told: int) -> AsyncGenerator[ServerSentEvent | None]:
    """Yield the events of a batch after the end of its `told`-th item: `item` as each ends, `counts`, and `done` at the end.

    Yield None about every 15 seconds without an event. If Redis goes away and comes back meanwhile, the events go on.
    """
    counts: BatchCounts | None = None
    counted_at = -_COUNTS_EVERY
    with services.store.batches.watch(batch.id) as watch:
        while True:
            try:
                now = await services.store.batches.read(batch.id, batch.owner)
                if now is None:
                    return
                rows = await services.store.batches.rows(now, told, _TOGETHER)
                answer = await batch_answer(services, now)
            except BrokerUnavailable:
                await watch.woken(RETRY_PAUSE)
                continue
            for row in rows:
                told += 1
                yield _event("item", told, ItemEvent.model_validate(from_json(row)))
            if len(rows) == _TOGETHER:
                continue
            has_ended = now.state != "running"
            pause = counted_at + _COUNTS_EVERY - time.monotonic()
            if answer.counts != counts and (pause <= 0 or has_ended):
                counts, counted_at = answer.counts, time.monotonic()
                yield _event("counts", told, CountsEvent(**counts.model_dump()))
            if has_ended:
                yield _event("done", now.total + 1, BatchDoneEvent(state=answer.state))
                return
            is_late = answer.counts != counts
            if not await watch.woken(max(pause, 0.05) if is_late else CHECK_EVERY) and not is_late:
                yield None


def _event(kind: str, number: int, change: CountsEvent | ItemEvent | BatchDoneEvent) -> ServerSentEvent:
    return ServerSentEvent(raw_data=change.model_dump_json(), event=kind, id=str(number))
