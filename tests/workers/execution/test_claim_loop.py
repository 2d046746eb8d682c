"""The loop with a real Redis and jobs that do what the test says."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jobstore.records import Execution, Result
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.errors import ImageTooLarge, NoGradient, UnknownClass
from schemas.jobs import JobState
from tests.wait import until
from tests.workers.jobs import OWNER, job, result, submit
from workers.contract.progress import Slice
from workers.execution.attempt import Attempts
from workers.execution.claim_loop import ClaimLoop, WorkerIdentity
from workers.execution.metrics import WorkerMetrics
from workers.rendering import encode
from workers.settings import WorkerSettings


class Scripted:
    """A runner whose jobs wait until they are told how to end. The parameter `name` tells them apart."""

    def __init__(self) -> None:
        self.running: dict[str, Execution] = {}
        self.most_at_once = 0
        self.on_start: Callable[[], Awaitable[None]] | None = None
        self.canceled: list[str] = []
        self.on_slice: dict[str, Callable[[Slice], None]] = {}
        self._ends: dict[str, asyncio.Future[Result]] = {}

    async def run(self, execution: Execution, on_slice: Callable[[Slice], None]) -> Result:
        name = json.loads(execution.params)["name"]
        self.running[name] = execution
        self.on_slice[name] = on_slice
        self.most_at_once = max(self.most_at_once, len(self.running))
        try:
            if self.on_start is not None:
                await self.on_start()
            return await self.end(name)
        except asyncio.CancelledError:
            self.canceled.append(name)
            raise
        finally:
            del self.running[name]

    def end(self, name: str) -> asyncio.Future[Result]:
        return self._ends.setdefault(name, asyncio.get_running_loop().create_future())

    async def encode_preview(self, image: Any) -> bytes:
        return encode.png(image)


class Worker:
    """A loop that runs in the background."""

    def __init__(self, store: JobStore, settings: WorkerSettings, name: str = "w1") -> None:
        self.runner = Scripted()
        self.metrics = WorkerMetrics()
        self.store = store
        self._stop = asyncio.Event()
        loop = ClaimLoop(
            identity=WorkerIdentity(name, "CPU:0", lambda: ("tiny",)),
            store=store,
            attempts=Attempts(store, self.runner, settings),
            settings=settings,
            metrics=self.metrics,
        )
        self.task = asyncio.create_task(loop.serve(self._stop))

    def ask_to_stop(self) -> None:
        self._stop.set()

    async def close(self) -> None:
        self._stop.set()
        await self.task


@pytest.fixture
def settings(store_settings: StoreSettings) -> WorkerSettings:
    quick = {"heartbeat": 0.2, "claim_block": 0.1, "cancel_poll": 0.02, "progress_interval": 0.02, "worker_drain": 0.0}
    return WorkerSettings.model_validate({**store_settings.model_dump(), **quick})


@pytest.fixture
async def work(store: JobStore, settings: WorkerSettings) -> AsyncIterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def _work(name: str = "w1", **changes: object) -> Worker:
        changed = WorkerSettings.model_validate({**settings.model_dump(), **changes})
        workers.append(Worker(JobStore.connect(str(settings.redis_url), changed), changed, name))
        return workers[-1]

    yield _work
    for worker in workers:
        with contextlib.suppress(asyncio.CancelledError):
            await worker.close()
        await worker.store.close()


async def state(store: JobStore, job_id: str) -> JobState:
    return (await job(store, job_id)).state


async def test_a_job_is_claimed_run_and_its_result_stored(store, work):
    worker = work()
    job_id = await submit(store, "a")
    await until(lambda: "a" in worker.runner.running)
    assert await state(store, job_id) is JobState.RUNNING
    worker.runner.end("a").set_result(result("seven"))
    record = await store.jobs.wait(job_id, OWNER, 10)
    assert (record.state, record.attempts, record.timings.device) == (JobState.SUCCEEDED, 1, 3)
    assert await store.artifacts.read(job_id, OWNER, "note") == b"seven"
    value = worker.metrics.registry.get_sample_value
    assert value("convscope_executions_total", {"state": "succeeded", "method": "predict", "model": "m"}) == 1


@pytest.mark.parametrize(
    ("error", "code", "detail"),
    [
        (NoGradient("no way to the layer"), "no_gradient", "no way to the layer"),
        (ImageTooLarge("9 pixels too many"), "invalid_image", "9 pixels too many"),
        (UnknownClass("class 7 of 5"), "internal", "class 7 of 5"),
        (ZeroDivisionError("secret path"), "internal", "An internal error occurred in the worker. The log of the worker has the details."),
    ],
)
async def test_a_job_fails_with_a_code_and_words_for_its_caller(store, work, error, code, detail):
    worker = work()
    job_id = await submit(store, "a")
    worker.runner.end("a").set_exception(error)
    record = await store.jobs.wait(job_id, OWNER, 10)
    assert (record.state, record.error.code, record.error.detail) == (JobState.FAILED, code, detail)


async def test_a_job_that_runs_too_long_is_stopped(store, work):
    worker = work(job_timeout=0.2)
    job_id = await submit(store, "a")
    record = await store.jobs.wait(job_id, OWNER, 10)
    assert (record.state, record.error.code) == (JobState.FAILED, "timeout")
    assert "continues from there" not in record.error.detail
    assert worker.runner.canceled == ["a"]


async def test_one_that_leaves_pieces_says_that_it_can_go_on(store, work):
    worker = work(job_timeout=0.5)
    job_id = await submit(store, "a", lane="slow")
    await until(lambda: "a" in worker.runner.on_slice)
    worker.runner.on_slice["a"](Slice(1, 9, pieces={"3": {"image": np.zeros(2)}}))
    record = await store.jobs.wait(job_id, OWNER, 10)
    assert (record.state, record.error.code) == (JobState.FAILED, "timeout")
    assert record.error.detail.endswith("If the job is submitted again, it continues from there.")


@pytest.mark.parametrize("lane", ["fast", "slow"])
async def test_a_canceled_job_is_stopped_and_nothing_stored(store, work, lane):
    worker = work()
    job_id = await submit(store, "a", lane=lane)
    await until(lambda: "a" in worker.runner.running)
    await store.jobs.cancel(job_id, OWNER)
    await until(lambda: worker.runner.canceled == ["a"])
    assert await state(store, job_id) is JobState.CANCELED


async def test_a_cancel_is_heard_from_a_progress_report(store, work):
    worker = work(cancel_poll=60.0)
    job_id = await submit(store, "a", lane="slow")
    await until(lambda: "a" in worker.runner.running)
    await store.jobs.cancel(job_id, OWNER)
    worker.runner.on_slice["a"](Slice(1, 9))
    await until(lambda: worker.runner.canceled == ["a"])


async def test_progress_and_previews_reach_the_caller(store, work):
    worker = work()
    job_id = await submit(store, "a", lane="slow")
    await until(lambda: "a" in worker.runner.running)
    picture = np.full((5, 7, 3), 9, np.uint8)
    worker.runner.on_slice["a"](Slice(3, 8, 0.5, picture))
    progress = preview = None
    async for event in store.jobs.events(job_id, OWNER):
        if event and event.type == "progress":
            progress = json.loads(event.data)
        if event and event.type == "preview":
            preview = json.loads(event.data)
            worker.runner.end("a").set_result(result())
    assert progress == {"step": 3, "total": 8, "value": 0.5}
    content = base64.b64decode(preview["image"].removeprefix("data:image/png;base64,"))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), picture)


async def test_of_many_slices_the_latest_is_reported(store, work):
    worker = work(progress_interval=0.05)
    job_id = await submit(store, "a", lane="slow")
    await until(lambda: "a" in worker.runner.running)
    for step in range(1, 201):
        worker.runner.on_slice["a"](Slice(step, 200))

    async def latest() -> bool:
        progress = (await job(store, job_id)).progress
        return progress is not None and progress.step == 200

    await until(latest)
    worker.runner.end("a").set_result(result())
    events = [event async for event in store.jobs.events(job_id, OWNER) if event and event.type == "progress"]
    assert len(events) < 20


async def test_no_more_are_claimed_than_there_is_room_for(store, work):
    worker = work(fast_in_flight=3, slow_in_flight=1)
    for number in range(5):
        await submit(store, f"f{number}")
        await submit(store, f"s{number}", lane="slow")
    await until(lambda: set(worker.runner.running) == {"f0", "f1", "f2", "s0"})
    for lane in ("fast", "slow"):
        for number in range(5):
            worker.runner.end(f"{lane[0]}{number}").set_result(result())

    async def empty() -> bool:
        depth = await store.queue.depth()
        return all(lane.queued == lane.running == 0 for lane in depth.lanes.values())

    await until(empty)
    assert worker.runner.most_at_once == 4


async def test_a_lease_is_kept_for_as_long_as_the_job_runs(store, work, settings):
    worker = work(lease=0.4, heartbeat=0.05)
    job_id = await submit(store, "a")
    await until(lambda: "a" in worker.runner.running)
    other = JobStore.connect(str(settings.redis_url), settings.model_copy(update={"lease": 0.4}))
    started = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < started + 1.5:
        assert await other.queue.claim("w2", "fast", 5, 0.1) == []
    await other.close()
    worker.runner.end("a").set_result(result())
    assert (await store.jobs.wait(job_id, OWNER, 10)).attempts == 1


async def test_a_job_another_worker_has_taken_over_is_left_to_it(store, work, settings):
    worker = work()
    job_id = await submit(store, "a")
    await until(lambda: "a" in worker.runner.running)
    thief = JobStore.connect(str(settings.redis_url), settings.model_copy(update={"lease": 0.001}))
    (taken,) = await thief.queue.claim("w2", "fast", 1, 1.0)
    await until(lambda: worker.runner.canceled == ["a"])
    assert await thief.queue.complete(taken, result("thief"))
    await thief.close()
    record = await store.jobs.wait(job_id, OWNER, 10)
    assert (record.state, record.attempts) == (JobState.SUCCEEDED, 2)
    assert await store.artifacts.read(job_id, OWNER, "note") == b"thief"


async def test_draining_finishes_what_can_be_finished_and_gives_back_the_rest(store, work):
    worker = work(worker_drain=60.0)
    finishing, endless = await submit(store, "a"), await submit(store, "b", lane="slow")
    await until(lambda: set(worker.runner.running) == {"a", "b"})
    worker.ask_to_stop()

    async def draining() -> bool:
        return [status.draining for status in await store.workers.alive()] == [True]

    await until(draining)
    late = await submit(store, "c")
    worker.runner.end("a").set_result(result())
    assert (await store.jobs.wait(finishing, OWNER, 10)).state is JobState.SUCCEEDED
    worker.task.cancel()  # as when the drain time is over
    with contextlib.suppress(asyncio.CancelledError):
        await worker.task
    assert worker.runner.canceled == ["b"]
    assert await state(store, late) is JobState.QUEUED
    record = await job(store, endless)
    assert (record.state, record.attempts) == (JobState.QUEUED, 0)

    second = work("w2")
    await until(lambda: {"b", "c"} <= set(second.runner.running))
    second.runner.end("b").set_result(result())
    assert (await store.jobs.wait(endless, OWNER, 10)).attempts == 1


async def test_after_the_drain_time_jobs_are_given_back(store, work):
    worker = work(worker_drain=0.1)
    job_id = await submit(store, "a")
    await until(lambda: "a" in worker.runner.running)
    await worker.close()
    record = await job(store, job_id)
    assert (record.state, record.attempts) == (JobState.QUEUED, 0)
    assert await store.workers.alive() == []


async def test_a_job_at_its_last_attempt_runs_alone(store, work, settings):
    dead = JobStore.connect(str(settings.redis_url), settings)
    ids = [await submit(store, name) for name in "abc"]
    assert len(await dead.queue.claim("dead", "fast", 3, 1.0)) == 3
    await dead.close()

    worker = work(max_attempts=2, lease=0.5, heartbeat=0.05)
    claimed: list[int] = []

    async def count_claimed() -> None:
        claimed.append((await store.queue.depth()).lanes["fast"].running)

    worker.runner.on_start = count_claimed
    await until(lambda: worker.runner.running)
    await submit(store, "d")
    for name in "abcd":
        await until(lambda name=name: set(worker.runner.running) & set("abcd"))
        (one,) = worker.runner.running
        worker.runner.end(one).set_result(result())
        await until(lambda one=one: one not in worker.runner.running)
    assert worker.runner.most_at_once == 1
    assert claimed[:3] == [1, 1, 1]  # those it was claimed with were given back before: had it killed us, their attempts would be spent
    assert [(await store.jobs.wait(job_id, OWNER, 10)).state for job_id in ids] == [JobState.SUCCEEDED] * 3


async def test_the_worker_is_seen_and_then_forgotten(store, work):
    worker = work("w7")

    async def seen() -> bool:
        return [(status.id, status.device, status.loaded_models) for status in await store.workers.alive()] == [("w7", "CPU:0", ("tiny",))]

    await until(seen)
    await worker.close()
    assert await store.workers.alive() == []
