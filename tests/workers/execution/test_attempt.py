"""One attempt: how it ends, and what it reports on the way. The Redis is real."""

from __future__ import annotations

import base64
import io
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import structlog
from PIL import Image

from schemas.errors import ImageTooLarge, JobTimeout, NoGradient, UnknownClass
from schemas.jobs import JobState
from tests.wait import until
from tests.workers.execution.scripted import state
from tests.workers.jobs import OWNER, job, result, submit
from workers.contract.progress import Slice


async def test_a_job_is_claimed_run_and_its_result_stored(store, start_worker):
    worker = start_worker()
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
        (UnknownClass("class 7 of 5"), "invalid_parameters", "class 7 of 5"),
        (ZeroDivisionError("secret path"), "internal", "An internal error occurred in the worker. The log of the worker has the details."),
    ],
)
async def test_a_job_fails_with_a_code_and_a_sentence_for_its_caller(store, start_worker, error, code, detail):
    worker = start_worker()
    job_id = await submit(store, "a")
    worker.runner.end("a").set_exception(error)
    record = await store.jobs.wait(job_id, OWNER, 10)
    assert (record.state, record.error.code, record.error.detail) == (JobState.FAILED, code, detail)


async def test_a_job_that_takes_too_long_in_all_is_stopped_and_told_what_it_used(store, start_worker):
    worker = start_worker(job_timeout=0.2, job_device_seconds=50)
    job_id = await submit(store, "a", lane="slow")
    await until(lambda: "a" in worker.runner.budgets)
    worker.runner.budgets["a"].add(37.25)
    record = await store.jobs.wait(job_id, OWNER, 10)
    assert (record.state, record.error.code) == (JobState.FAILED, "timeout")
    assert record.error.detail == (
        "The job was stopped 0.2 s after it had begun, which is the longest time allowed (CONVSCOPE_JOB_TIMEOUT). It had used 37.2 s of "
        "the device, of at most 50 s."
    )
    assert worker.runner.canceled == ["a"]


async def test_a_timeout_says_that_finished_pieces_are_kept(store, start_worker):
    worker = start_worker()
    job_id = await submit(store, "a", lane="slow")
    await until(lambda: "a" in worker.runner.on_slice)
    worker.runner.on_slice["a"](Slice(1, 9, pieces={"3": {"image": np.zeros(2)}}))
    worker.runner.end("a").set_exception(JobTimeout("The device was used up."))
    record = await store.jobs.wait(job_id, OWNER, 10)
    assert (record.state, record.error.code) == (JobState.FAILED, "timeout")
    assert record.error.detail == (
        "The device was used up. Its finished parts are kept. If the job is submitted again, it continues from there."
    )


async def test_the_time_in_the_queue_counts_for_no_limit(store, start_worker):
    job_id = await submit(store, "a")
    first = await job(store, job_id)
    await until(lambda: datetime.now(UTC) > first.created_at + timedelta(seconds=0.4))
    worker = start_worker(job_timeout=0.4, job_device_seconds=0.4)
    await until(lambda: "a" in worker.runner.running)
    assert worker.runner.budgets["a"].used == 0
    worker.runner.end("a").set_result(result())
    assert (await store.jobs.wait(job_id, OWNER, 10)).state is JobState.SUCCEEDED


async def test_a_progress_report_learns_that_the_job_was_canceled(store, start_worker):
    worker = start_worker(cancel_poll=60.0)
    job_id = await submit(store, "a", lane="slow")
    await until(lambda: "a" in worker.runner.running)
    await store.jobs.cancel(job_id, OWNER)
    worker.runner.on_slice["a"](Slice(1, 9))
    await until(lambda: worker.runner.canceled == ["a"])


async def test_progress_and_previews_reach_the_caller(store, start_worker):
    worker = start_worker()
    job_id = await submit(store, "a", lane="slow")
    await until(lambda: "a" in worker.runner.running)
    picture = np.full((5, 7, 3), 9, np.uint8)
    worker.runner.on_slice["a"](Slice(3, 8, 0.5, picture))
    progress, preview = [], None
    async for event in store.jobs.events(job_id, OWNER):
        if event and event.type == "progress":
            progress.append(json.loads(event.data))
        if event and event.type == "preview":
            preview = json.loads(event.data)
            worker.runner.end("a").set_result(result())
    assert progress == [{"step": 3, "total": 8, "value": 0.5}, {"step": 8, "total": 8, "value": 0.5}]
    content = base64.b64decode(preview["image"].removeprefix("data:image/png;base64,"))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), picture)


async def test_only_the_latest_of_many_slices_is_reported(store, start_worker):
    worker = start_worker(progress_interval=0.05)
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


async def test_a_preview_that_cannot_be_encoded_does_not_stop_progress(store, start_worker):
    worker = start_worker(preview_interval=0.001)
    job_id = await submit(store, "a", lane="slow")
    await until(lambda: "a" in worker.runner.running)
    with structlog.testing.capture_logs() as logs:
        worker.runner.on_slice["a"](Slice(1, 3, preview=np.zeros((0, 0, 3), np.uint8)))
        await until(lambda: logs)
        worker.runner.on_slice["a"](Slice(2, 3, preview=np.zeros((4, 4, 3), np.uint8)))

        async def advanced() -> bool:
            progress = (await job(store, job_id)).progress
            return progress is not None and progress.step == 2

        await until(advanced)
    worker.runner.end("a").set_result(result())
    # The preview of the second step is in the store until the job ends, so it may be among the events or not.
    events = [event.type async for event in store.jobs.events(job_id, OWNER) if event and event.type not in ("status", "preview")]
    assert [each["event"] for each in logs] == ["a preview could not be encoded"]
    assert events == ["progress", "progress", "progress", "done"]


async def test_a_job_that_succeeds_ends_with_all_steps_done(store, start_worker):
    """The last slices of a job come too fast to be reported one by one, and a method may end before its last step."""
    worker = start_worker(progress_interval=60.0)
    slow, fast = await submit(store, "a", lane="slow"), await submit(store, "b")
    await until(lambda: {"a", "b"} <= set(worker.runner.running))
    for step in (1, 2, 3):
        worker.runner.on_slice["a"](Slice(step, 4, 0.5 * step))
    for name in "ab":
        worker.runner.end(name).set_result(result())
    for job_id, progress in ((slow, (4, 4, 1.5)), (fast, (1, 1, None))):
        record = await store.jobs.wait(job_id, OWNER, 10)
        assert (record.progress.step, record.progress.total, record.progress.value) == progress
    events = [event async for event in store.jobs.events(slow, OWNER) if event]
    assert [event.type for event in events][-2:] == ["progress", "done"]
    assert json.loads(events[-2].data) == {"step": 4, "total": 4, "value": 1.5}
    assert "progress" not in [event.type async for event in store.jobs.events(fast, OWNER) if event]
