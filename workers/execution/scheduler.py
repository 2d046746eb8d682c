"""Decide which job is on the device next.

There is one device, with a few device threads, and there are two lanes. Fast jobs: a device thread that is free takes the oldest fast job
and every compatible one that waits, up to `max_batch`, as one batch. There is no timer: a batch is what came while the device was busy.
Slow jobs run one slice at a time, in turn. Between slices, fast jobs go first, unless the slow job has waited for longer than
`slow_patience` seconds.

Work is given as functions and generators, and the answer is a `concurrent.futures.Future`, so the scheduler knows nothing of models, the
store or an event loop. Cancelling the future removes a waiting job, and stops a slow job at the end of its slice.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Hashable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import TypeVar

from workers.execution.device_budget import DeviceBudget
from workers.execution.device_calls import DeviceCalls, DeviceTimeouts, DeviceWatch, NullDeviceWatch
from workers.execution.device_jobs import DeviceResult, FastJob, SlowJob, run_batch, run_slice

Item = TypeVar("Item")
SliceState = TypeVar("SliceState")
Answer = TypeVar("Answer")


class Scheduler:
    """Runs jobs on its device threads until `close`.

    Args:
        threads: number of device threads.
        max_batch: largest number of fast jobs in a batch.
        timeouts: how long a call on the device may take.
        slow_patience: seconds after which a waiting slow job goes before fast ones.
        watch: is told of the beginning and the end of each call on the device.
        on_call: is called with the key, the number of jobs and the seconds of each call on the device, on the device thread.
        clock: returns the time in seconds, by which calls on the device are timed.
    """

    def __init__(
        self,
        *,
        threads: int,
        max_batch: int,
        timeouts: DeviceTimeouts | None = None,
        slow_patience: float = 2.0,
        watch: DeviceWatch | None = None,
        on_call: Callable[[Hashable, int, float], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._max_batch, self._slow_patience = max_batch, slow_patience
        self._calls = DeviceCalls(timeouts or DeviceTimeouts(), watch or NullDeviceWatch(), on_call, clock)
        self._fast: deque[FastJob] = deque()
        self._slow: deque[SlowJob] = deque()
        self._closed = False
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._serve, args=(i,), name=f"device-{i}", daemon=True) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    def fast(self, key: Hashable, item: Item, run: Callable[[Sequence[Item]], Sequence[Answer]]) -> Future[DeviceResult[Answer]]:
        """Queue a fast job. Jobs of an equal key may run as one batch, by the `run` of any of them.

        `run` returns one answer for each item, in the same order.

        Raises:
            RuntimeError: The scheduler is closed.
        """
        job = FastJob(key, item, run)
        with self._changed:
            self._refuse_when_closed()
            self._fast.append(job)
            self._changed.notify()
        return job.future

    def slow(
        self,
        key: Hashable,
        slices: Generator[SliceState, None, Answer],
        on_slice: Callable[[SliceState], None],
        budget: DeviceBudget | None = None,
    ) -> Future[DeviceResult[Answer]]:
        """Queue a slow job. `on_slice` gets what the generator yields, on a device thread. The answer is what the generator returns.

        `budget` counts the seconds of the slices. Once it is used up, the job ends with `JobTimeout`. None means that there is no limit.

        Raises:
            RuntimeError: The scheduler is closed.
        """
        job = SlowJob(key, slices, on_slice, waiting_since=time.monotonic(), budget=budget or DeviceBudget())
        with self._changed:
            self._refuse_when_closed()
            self._slow.append(job)
            self._changed.notify()
        return job.future

    def compiling(self) -> AbstractContextManager[None]:
        """Return the context that must be entered, on a device thread, around all that compiles. See `DeviceCalls.compiling`."""
        return self._calls.compiling()

    @property
    def waiting(self) -> int:
        """The number of jobs that are not on the device now."""
        with self._changed:
            return len(self._fast) + len(self._slow)

    def close(self, seconds: float = 5.0) -> None:
        """Cancel the waiting jobs, and let the calls on the device return for at most `seconds`."""
        with self._changed:
            self._closed = True
            fast, slow = [*self._fast], [*self._slow]
            self._fast.clear()
            self._slow.clear()
            self._changed.notify_all()
        for job in fast:
            job.future.cancel()
        for job in slow:
            job.future.cancel()
            job.close()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise RuntimeError("the scheduler is closed and takes no more jobs")

    def _serve(self, thread: int) -> None:
        while (work := self._next()) is not None:
            if isinstance(work, SlowJob):
                if run_slice(work, self._calls, thread):
                    self._queue_again(work)
            else:
                run_batch(work, self._calls, thread)
            del work  # an idle thread must not keep a job's arrays alive

    def _next(self) -> list[FastJob] | SlowJob | None:
        """Return the work that is next, or None once the scheduler is closed."""
        with self._changed:
            while not self._closed:
                if self._slow and time.monotonic() - self._slow[0].waiting_since > self._slow_patience:
                    return self._slow.popleft()
                if batch := self._take_batch():
                    return batch
                if self._slow:
                    return self._slow.popleft()
                self._changed.wait()
            return None

    def _take_batch(self) -> list[FastJob]:
        batch: list[FastJob] = []
        left: deque[FastJob] = deque()
        for job in self._fast:
            if (batch and job.key != batch[0].key) or len(batch) == self._max_batch:
                left.append(job)
            elif job.future.set_running_or_notify_cancel():
                batch.append(job)
        self._fast = left
        return batch

    def _queue_again(self, job: SlowJob) -> None:
        job.waiting_since = time.monotonic()
        with self._changed:
            closed = self._closed
            if not closed:
                self._slow.append(job)
                self._changed.notify()
        if closed:
            job.future.cancel()
            job.close()
