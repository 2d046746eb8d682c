"""Jobs of the two lanes, and how each kind runs on the device."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from schemas.errors import OutOfMemory, VisualizationError
from telemetry.logs import get_logger
from telemetry.traces import Place, batch_span, here
from workers.execution.at_work import Work, all_under_way, work
from workers.execution.batch_key import BatchKey
from workers.execution.device_budget import DeviceBudget
from workers.execution.device_calls import DeviceCalls

Answer = TypeVar("Answer")

HALVINGS = 2  # how often a batch that does not fit in the device's memory is halved, before its jobs run one by one


@dataclass(frozen=True)
class DeviceResult(Generic[Answer]):
    """The answer of a job, the seconds that its batch or its slices took on the device, and the number of jobs in that batch."""

    value: Answer
    seconds: float
    batch: int


@dataclass(eq=False)
class FastJob:
    """A job that can share a batch with others of an equal key. `run` takes the items of a batch and returns an answer for each.

    `place` is where the job is in its trace, and `asked` is when it began to wait for the device (nanoseconds since 1970). `work` is the
    work of its execution.
    """

    key: Hashable
    item: Any
    run: Callable[[Sequence[Any]], Sequence[Any]]
    future: Future[DeviceResult[Any]] = field(default_factory=Future[DeviceResult[Any]])
    place: Place = field(default_factory=here)
    asked: int = field(default_factory=time.time_ns)
    work: Work = field(default_factory=work)


@dataclass(eq=False)
class SlowJob:
    """A job that runs in slices. The generator yields after each slice, and returns the answer at its end.

    `waiting_since` is the time (`time.monotonic`) at which it began to wait for its next slice, and `budget` counts the seconds that its
    slices take and limits them. `place` is where the job is in its trace. `asked` is when it began to wait for the device and `began`
    when its first slice began (nanoseconds since 1970; 0 before that). `ran` counts its slices. `work` is the work of its execution.
    """

    key: Hashable
    slices: Generator[Any, None, Any]
    on_slice: Callable[[Any], None]
    future: Future[DeviceResult[Any]] = field(default_factory=Future[DeviceResult[Any]])
    waiting_since: float = 0.0
    budget: DeviceBudget = field(default_factory=DeviceBudget)
    place: Place = field(default_factory=here)
    asked: int = field(default_factory=time.time_ns)
    began: int = 0
    ran: int = 0
    work: Work = field(default_factory=work)

    def close(self) -> None:
        """End the generator before its time."""
        try:
            self.slices.close()
        except Exception:
            get_logger(__name__).exception("a slow job could not be closed")


def run_batch(batch: Sequence[FastJob], calls: DeviceCalls, thread: int, halvings: int = 0) -> None:
    """Run the batch and settle the future of each job.

    If the batch fails, it is split: in halves if the memory does not suffice, otherwise into single jobs. So the fault of one job does
    not reach the others.
    """
    if not halvings:
        for job in batch:
            job.place.record("wait for device", (job.asked, time.time_ns()), {})
    try:
        with batch_span([job.place for job in batch], "device", {**_named(batch[0].key), "convscope.batch.size": len(batch)}):
            with all_under_way([job.work for job in batch]):
                answers, seconds = calls.timed(batch[0].key, len(batch), thread, lambda: batch[0].run([job.item for job in batch]))
            if len(answers) != len(batch):
                raise RuntimeError(f"a batch of {len(batch)} jobs gave {len(answers)} answers")
    except Exception as error:
        if len(batch) == 1:
            batch[0].future.set_exception(error)
            return
        halve = isinstance(error, OutOfMemory) and halvings < HALVINGS
        size = (len(batch) + 1) // 2 if halve else 1
        get_logger(__name__).warning("batch split", jobs=len(batch), into=size, reason=type(error).__name__)
        for start in range(0, len(batch), size):
            run_batch(batch[start : start + size], calls, thread, halvings + 1)
    else:
        for job, answer in zip(batch, answers, strict=True):
            job.future.set_result(DeviceResult(answer, seconds, len(batch)))


def run_slice(job: SlowJob, calls: DeviceCalls, thread: int) -> bool:
    """Run one slice. Return True if the job has further slices, and False once its future is settled or was cancelled.

    A job that has used up its budget ends with `JobTimeout` instead of another slice.
    """
    if job.future.cancelled():
        job.close()
        _record(job, "canceled")
        return False
    job.began = job.began or time.time_ns()
    job.ran += 1
    try:
        ended, value, seconds = _next_slice(job, calls, thread)
        job.budget.add(seconds)
        if not ended:
            job.on_slice(value)
            job.budget.check()
            return True
    except Exception as error:
        job.close()
        _record(job, error.code if isinstance(error, VisualizationError) else type(error).__name__)
        if job.future.set_running_or_notify_cancel():
            job.future.set_exception(error)
        return False
    _record(job)
    if job.future.set_running_or_notify_cancel():
        job.future.set_result(DeviceResult(value, job.budget.used, 1))
    return False


def _record(job: SlowJob, error_type: str | None = None) -> None:
    """Make one span of all slices of a job. A span for each slice would be thousands."""
    if job.began:
        facts = {**_named(job.key), "convscope.device.slices": job.ran, "convscope.device.seconds": job.budget.used}
        job.place.record("wait for device", (job.asked, job.began), {})
        job.place.record("device", (job.began, time.time_ns()), facts, error_type)


def _named(key: Hashable) -> dict[str, str | int | float]:
    return {"convscope.method": key.method} if isinstance(key, BatchKey) else {}


def _next_slice(job: SlowJob, calls: DeviceCalls, thread: int) -> tuple[bool, Any, float]:
    """Return True if the generator has ended, the value that it yielded or returned, and the seconds that it took."""

    def advance() -> tuple[bool, Any]:
        try:
            return False, next(job.slices)
        except StopIteration as stop:
            return True, stop.value

    with job.work.under_way():
        (ended, value), seconds = calls.timed(job.key, 1, thread, advance)
    return ended, value, seconds
