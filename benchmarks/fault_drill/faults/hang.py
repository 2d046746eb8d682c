"""Let a call of the device hang, in a real worker with a real model."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.fault_drill.ends import figures_of_ends
from benchmarks.fault_drill.registry import Fault, Figure, within
from tests.faults.injected import HANGS
from tests.faults.stack import WorkerStack
from tests.wait import until
from tests.workers.jobs import resolved
from tests.workers.tiny import photo


async def run(folder: Path, short: bool) -> list[Figure]:
    timeout = 3.0 if short else 30.0
    stack = WorkerStack(folder, "tests.faults.injected_workers", device_timeout=timeout)
    try:
        stack.start_workers()
        model = await stack.model()
        await stack.ended([await stack.submit(resolved("predict", model, photo(1)))])  # a first call of a kind may take long
        hung = stack.worker_pid
        ids = [await stack.submit(resolved("predict", model, photo(HANGS)))]
        await until((stack.folder / "hung").exists)
        began = time.monotonic()
        ids += [await stack.submit(resolved("predict", model, photo(number))) for number in range(2, 12)]
        await until(lambda: stack.said("worker hangs: killed"), timeout + 30)
        replaced = time.monotonic() - began
        pids = [entry["pid"] for entry in stack.said("worker hangs: killed")]
        records = await stack.ended(ids)
        return [
            within("the worker was replaced after its call began to hang", replaced, timeout + 5),
            Figure("workers that were replaced", "the one that hung", f"{len(pids)}", pids == [hung]),
            *await figures_of_ends(stack.store, records),
        ]
    finally:
        await stack.close()


FAULT = Fault("hang", "A call of the device does not return", run, 30)
