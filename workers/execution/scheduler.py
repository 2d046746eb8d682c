"""One device, its executor threads and two lanes.

Fast jobs: an executor that falls free takes the oldest one and every compatible one that waits, up to `max_batch`, as one
batch. No timer: a batch is whatever came while the device was busy. Slow jobs are generators, advanced one slice at a time
and in turn; between slices fast jobs go first, unless the slow job has waited for longer than `patience`.

Work is given as callables and generators and its answer is a `concurrent.futures.Future`, so that nothing here knows models,
the store or an event loop. Cancelling the future takes a waiting job out, and stops a slow one at the end of its slice.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from schemas.errors import OutOfMemory
from telemetry.logs import get_logger

Item = TypeVar("Item")
Step = TypeVar("Step")
Answer = TypeVar("Answer")

HALVINGS = 2  # of a batch that the device's memory does not hold, before its jobs are run one by one
KNOWN_KINDS = 4096


@dataclass(frozen=True)
class Done(Generic[Answer]):
    """A job's answer, the seconds that its batch or its slices were on the device, and the size of that batch."""

    value: Answer
    seconds: float
    batch: int


@dataclass(frozen=True)
class Patience:
    """Seconds: what a device call may take, what the first of its kind may (it compiles), how long a slow job yields to fast ones."""

    step: float = 30.0
    first_step: float = 180.0
    slow: float = 2.0


class Watch(Protocol):
    """Is told when a device call begins, by when it must be back, and when it is."""

    def device_call_begins(self, thread: int, seconds: float) -> None: ...
    def device_call_ends(self, thread: int) -> None: ...


class _Unwatched:
    def device_call_begins(self, thread: int, seconds: float) -> None: ...
    def device_call_ends(self, thread: int) -> None: ...


@dataclass(eq=False)
class _Fast:
    key: Hashable
    item: Any
    run: Callable[[Sequence[Any]], Sequence[Any]]
    future: Future[Done[Any]] = field(default_factory=Future[Done[Any]])


@dataclass(eq=False)
class _Slow:
    key: Hashable
    steps: Generator[Any, None, Any]
    on_step: Callable[[Any], None]
    future: Future[Done[Any]] = field(default_factory=Future[Done[Any]])
    waiting_since: float = 0.0
    seconds: float = 0.0


class Scheduler:
    """Runs until `close`. `on_batch(key, size, seconds)` is told of every device call, on the executor's thread."""

    def __init__(
        self,
        *,
        threads: int,
        max_batch: int,
        patience: Patience | None = None,
        watch: Watch | None = None,
        on_batch: Callable[[Hashable, int, float], None] | None = None,
    ) -> None:
        self._max_batch = max_batch
        self._patience = patience or Patience()
        self._watch = watch or _Unwatched()
        self._on_batch = on_batch
        self._fast: deque[_Fast] = deque()
        self._slow: deque[_Slow] = deque()
        self._known: OrderedDict[Hashable, None] = OrderedDict()
        self._closed = False
        self._changed = threading.Condition()
        self._log = get_logger(__name__)
        self._threads = [threading.Thread(target=self._serve, args=(i,), name=f"device-{i}", daemon=True) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    def fast(self, key: Hashable, item: Item, run: Callable[[Sequence[Item]], Sequence[Answer]]) -> Future[Done[Answer]]:
        """Jobs of equal `key` may run as one batch, by the `run` of any of them: it returns one answer an item, in order."""
        job = _Fast(key, item, run)
        with self._changed:
            self._refuse_when_closed()
            self._fast.append(job)
            self._changed.notify()
        return job.future

    def slow(self, key: Hashable, steps: Generator[Step, None, Answer], on_step: Callable[[Step], None]) -> Future[Done[Answer]]:
        """`on_step` gets what the generator yields, on the executor's thread; the generator's return value is the answer."""
        job = _Slow(key, steps, on_step, waiting_since=time.monotonic())
        with self._changed:
            self._refuse_when_closed()
            self._slow.append(job)
            self._changed.notify()
        return job.future

    @property
    def waiting(self) -> int:
        """Jobs that are not on the device now."""
        with self._changed:
            return len(self._fast) + len(self._slow)

    def close(self, seconds: float = 5.0) -> None:
        """Cancels what waits and lets what is on the device return, for at most `seconds`."""
        with self._changed:
            self._closed = True
            waiting: list[_Fast | _Slow] = [*self._fast, *self._slow]
            self._fast.clear()
            self._slow.clear()
            self._changed.notify_all()
        for job in waiting:
            job.future.cancel()
            if isinstance(job, _Slow):
                self._stop(job)
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise RuntimeError("the scheduler is closed")

    def _serve(self, thread: int) -> None:
        while (work := self._next()) is not None:
            if isinstance(work, _Slow):
                self._advance(work, thread)
            else:
                self._run(work, thread)
            del work  # an idle thread must not keep a job's arrays alive

    def _next(self) -> list[_Fast] | _Slow | None:
        with self._changed:
            while not self._closed:
                if self._slow and time.monotonic() - self._slow[0].waiting_since > self._patience.slow:
                    return self._slow.popleft()
                if batch := self._take_batch():
                    return batch
                if self._slow:
                    return self._slow.popleft()
                self._changed.wait()
            return None

    def _take_batch(self) -> list[_Fast]:
        batch: list[_Fast] = []
        left: deque[_Fast] = deque()
        for job in self._fast:
            if (batch and job.key != batch[0].key) or len(batch) == self._max_batch:
                left.append(job)
            elif job.future.set_running_or_notify_cancel():
                batch.append(job)
        self._fast = left
        return batch

    def _run(self, batch: Sequence[_Fast], thread: int, halvings: int = 0) -> None:
        """Runs the batch, in parts where the whole fails: what is wrong with one job must not reach the others."""
        try:
            answers, seconds = self._timed(batch[0].key, len(batch), thread, lambda: batch[0].run([job.item for job in batch]))
            if len(answers) != len(batch):
                raise RuntimeError(f"a batch of {len(batch)} gave {len(answers)} answers")
        except Exception as error:
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            halve = isinstance(error, OutOfMemory) and halvings < HALVINGS
            size = (len(batch) + 1) // 2 if halve else 1
            self._log.warning("batch split", jobs=len(batch), into=size, reason=type(error).__name__)
            for start in range(0, len(batch), size):
                self._run(batch[start : start + size], thread, halvings + 1)
        else:
            for job, answer in zip(batch, answers, strict=True):
                job.future.set_result(Done(answer, seconds, len(batch)))

    def _advance(self, job: _Slow, thread: int) -> None:
        if job.future.cancelled():
            self._stop(job)
            return
        try:
            ended, value, seconds = self._step(job, thread)
            job.seconds += seconds
            if not ended:
                job.on_step(value)
        except Exception as error:
            self._stop(job)
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(error)
            return
        if ended:
            if job.future.set_running_or_notify_cancel():
                job.future.set_result(Done(value, job.seconds, 1))
            return
        job.waiting_since = time.monotonic()
        with self._changed:
            closed = self._closed
            if not closed:
                self._slow.append(job)
                self._changed.notify()
        if closed:
            job.future.cancel()
            self._stop(job)

    def _step(self, job: _Slow, thread: int) -> tuple[bool, Any, float]:
        """Whether the generator has ended, what it yielded or returned, and the seconds it took."""

        def step() -> tuple[bool, Any]:
            try:
                return False, next(job.steps)
            except StopIteration as stop:
                return True, stop.value

        (ended, value), seconds = self._timed(job.key, 1, thread, step)
        return ended, value, seconds

    def _timed(self, key: Hashable, size: int, thread: int, call: Callable[[], Answer]) -> tuple[Answer, float]:
        self._watch.device_call_begins(thread, self._allowance(key))
        started = time.perf_counter()
        try:
            answer = call()
        finally:
            seconds = time.perf_counter() - started
            self._watch.device_call_ends(thread)
        self._remember(key)
        if self._on_batch is not None:
            self._on_batch(key, size, seconds)
        return answer, seconds

    def _allowance(self, key: Hashable) -> float:
        with self._changed:
            return self._patience.step if key in self._known else self._patience.first_step

    def _remember(self, key: Hashable) -> None:
        with self._changed:
            self._known[key] = None
            self._known.move_to_end(key)
            if len(self._known) > KNOWN_KINDS:
                self._known.popitem(last=False)

    def _stop(self, job: _Slow) -> None:
        try:
            job.steps.close()
        except Exception:
            self._log.exception("a slow job could not be closed")
