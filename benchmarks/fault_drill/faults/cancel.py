"""Cancel running ascents. The worker and the model are real."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from benchmarks.fault_drill.registry import Fault, Figure, within
from jobstore.records import Submission
from tests.faults.stack import WorkerStack
from tests.wait import until
from tests.workers.jobs import OWNER, resolved

_SIZE = 128


async def run(folder: Path, short: bool) -> list[Figure]:
    times = 5 if short else 30
    stack = WorkerStack(folder)
    try:
        stack.start_workers()
        model = await stack.model()
        warm = resolved("filters", model, layer="relu", channels=[0], size=_SIZE, steps=2)
        await stack.ended([await stack.submit(warm)])
        ascents = [resolved("filters", model, layer="relu", channels=[0], size=_SIZE, steps=2048, seed=seed) for seed in range(times)]
        seconds = sorted([await _cancel(stack, each) for each in ascents])
    finally:
        await stack.close()
    return [within(f"the slowest of {times} canceled ascents had stopped", seconds[-1], 0.5, f", the median {seconds[times // 2]:.2f} s")]


async def _cancel(stack: WorkerStack, submission: Submission) -> float:
    """Submit an ascent, cancel it after its first steps, and return the seconds until its worker has dropped it."""
    job_id = await stack.submit(submission)

    async def has_stepped() -> bool:
        record = await stack.store.jobs.read(job_id, OWNER)
        assert record is not None
        assert not record.state.ended, record
        return record.progress is not None and record.progress.step > 1

    await until(has_stepped, 60)
    before = len(stack.said("execution ended"))
    asked = time.time()
    await stack.store.jobs.cancel(job_id, OWNER)
    await until(lambda: len(stack.said("execution ended")) > before, 60)
    return datetime.fromisoformat(stack.said("execution ended")[before]["timestamp"]).timestamp() - asked


FAULT = Fault("cancel", "A running ascent is canceled", run, 110)
