"""The whole system: Redis is stopped, killed and started again under load. No accepted job is lost, and none ends twice."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter

import pytest

from schemas.jobs import JobState
from tests.wait import until
from tests.workers.jobs import resolved
from tests.workers.tiny import photo

pytestmark = [pytest.mark.faults, pytest.mark.slow]


async def test_work_goes_on_after_redis_has_restarted(make_stack):
    stack = make_stack()
    model = await stack.model()
    worker = stack.worker_pid
    ids: list[str] = []

    async def keep_submitting() -> None:
        for number in range(60):
            submission = (
                resolved("filters", model, layer="relu", channels=[0, 3], size=32, steps=60, seed=number)
                if number % 6 == 5
                else resolved("grad_cam" if number % 2 else "predict", model, photo(number))
            )
            # With its key, a submission can be repeated if its answer was lost.
            ids.append(await stack.submit(dataclasses.replace(submission, idempotency_key=f"key-{number}", body_digest=f"{number:064x}")))

    submitting = asyncio.create_task(keep_submitting())
    for number, crash in enumerate((False, True, True)):
        enough = 10 * (number + 1)
        await until(lambda enough=enough: len(ids) >= enough)
        await asyncio.to_thread(stack.restart_redis, crash=crash)
    await submitting
    records = await stack.ended(ids)
    assert len(set(ids)) == 60
    assert Counter(record.state for record in records) == {JobState.SUCCEEDED: 60}
    assert stack.worker_pid == worker  # the worker has survived every restart
