"""The record of the executions at work is read after its process was killed."""

from __future__ import annotations

import multiprocessing
import os
import signal

from workers.execution.at_work import ExecutionsAtWork, work
from workers.supervision.crash_record import CrashRecord, DeadWorker

CONTEXT = multiprocessing.get_context("forkserver")
IDS = [f"01K5YQZ7T8Y1W4V9N3M2XQJ6R{last}" for last in "ABC"]


def _die_at_work(record: CrashRecord) -> None:
    record.name_worker("host-1")
    at_work = ExecutionsAtWork(record)
    for execution in IDS:
        at_work.begin(execution)
    at_work.end(IDS[1])
    with at_work.holding("01WAITS"):
        assert work().execution == "01WAITS"
        os.kill(os.getpid(), signal.SIGKILL)


def test_the_record_outlives_its_process() -> None:
    record = CrashRecord(CONTEXT, 5)
    assert record.read() is None
    process = CONTEXT.Process(target=_die_at_work, args=(record,))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    dead = record.read()
    assert dead is not None
    assert (dead.worker, sorted(dead.at_work)) == ("host-1", [IDS[0], IDS[2]])


def test_an_erased_place_can_be_written_again() -> None:
    record = CrashRecord(CONTEXT, 2)
    record.name_worker("w")
    record.write(1, IDS[0])
    record.erase(1)
    assert record.read() == DeadWorker("w", ())
    record.write(1, "01SHORT")  # nothing of the longer id is left
    assert record.read() == DeadWorker("w", ("01SHORT",))
