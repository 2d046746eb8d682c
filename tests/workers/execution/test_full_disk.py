"""A worker on a full disk: it lives, it keeps its jobs, and a job whose results find no room fails with a code that says so."""

from __future__ import annotations

import errno
import os

import pytest
from redis.exceptions import ResponseError

from schemas.jobs import JobState
from tests.wait import until
from tests.workers.jobs import OWNER, result, submit

MISCONF = "MISCONF Errors writing to the AOF file: No space left on device"


async def test_a_worker_outlives_a_full_disk_of_redis(store, start_worker, monkeypatch: pytest.MonkeyPatch):
    worker = start_worker(lease=5.0, heartbeat=0.05)
    job_id = await submit(store, "a")
    await until(lambda: "a" in worker.runner.running)
    connection = worker.store._connection
    refused = 0

    async def refuse(*words: object) -> None:
        nonlocal refused
        refused += 1
        raise ResponseError(MISCONF)

    with monkeypatch.context() as patch:
        patch.setattr(connection._redis, "execute_command", refuse)
        await until(lambda: refused > 10)
    after = await submit(store, "b")
    for name in "ab":
        worker.runner.end(name).set_result(result())
    for each in (job_id, after):
        record = await store.jobs.wait(each, OWNER, 10)
        assert (record.state, record.attempts) == (JobState.SUCCEEDED, 1)


async def test_a_job_whose_results_find_no_room_fails_with_storage_full(store, start_worker, monkeypatch: pytest.MonkeyPatch):
    worker = start_worker()
    job_id = await submit(store, "a")
    await until(lambda: "a" in worker.runner.running)

    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(worker.store._account._files._filesystem, "pipe_file", no_room)
    worker.runner.end("a").set_result(result())
    record = await store.jobs.wait(job_id, OWNER, 10)
    assert (record.state, record.error.code, record.error.retryable) == (JobState.FAILED, "storage_full", True)
    assert "No space left on device" in record.error.detail
