"""Find what keeps an event loop from its other work: callbacks, and steps of tasks, that take long.

While a callback runs, its loop answers nobody. The debug mode of asyncio finds such callbacks too, but it slows everything down and it
does not say which line took the time.

Example:
    with watched_event_loops(0.05, lambda slow: print(slow.seconds, slow.task, slow.stack)):
        asyncio.run(main())
"""

from __future__ import annotations

import asyncio
import asyncio.events
import gc
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from telemetry.logs import get_logger

_Handle: Any = asyncio.events.Handle
_run: Callable[[asyncio.Handle], None] = _Handle._run  # every callback of every loop passes through this method


@dataclass(frozen=True)
class SlowCallback:
    """A callback, or one step of a task, that took longer than the limit.

    Attributes:
        seconds: the time that it took, without the time of Python's garbage collector.
        task: the task or the callback, as asyncio describes it. It names the function with which the task began.
        stack: the lines that ran shortly before its end, the innermost first, each as `file:line function`. It is empty if the callback
            never let another thread look.
    """

    seconds: float
    task: str
    stack: tuple[str, ...]


@dataclass
class _Callback:
    began: float
    entered: float = field(default_factory=time.perf_counter)
    collecting: float = 0.0
    stack: tuple[str, ...] = ()


@dataclass
class _Watch:
    """Times each callback of every loop. Its methods run on the loops' threads, apart from `look`, which has a thread of its own."""

    limit: float
    report: Callable[[SlowCallback], None]
    clock: Callable[[], float]
    running: dict[int, _Callback] = field(default_factory=dict[int, _Callback])
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self, handle: asyncio.Handle) -> None:
        thread = threading.get_ident()
        callback = self.running[thread] = _Callback(self.clock())
        try:
            _run(handle)
        finally:
            seconds = self.clock() - callback.began - callback.collecting
            del self.running[thread]
            if seconds > self.limit:
                self.report(SlowCallback(seconds, _described(handle), callback.stack))

    def collect(self, phase: str, _: dict[str, int]) -> None:
        if callback := self.running.get(threading.get_ident()):
            callback.collecting += self.clock() if phase == "stop" else -self.clock()

    def look(self) -> None:
        """Take the stacks of the callbacks that have been running for half the limit."""
        while not self.ended.wait(self.limit / 4):
            frames = sys._current_frames()  # pyright: ignore[reportPrivateUsage] - documented, in spite of its name
            for thread, callback in self.running.copy().items():
                if time.perf_counter() - callback.entered > self.limit / 2 and thread in frames:
                    callback.stack = tuple(_lines(frames[thread]))


@contextmanager
def watched_event_loops(
    limit: float, report: Callable[[SlowCallback], None], clock: Callable[[], float] = time.perf_counter
) -> Generator[None]:
    """Call `report`, on the loop's thread, for each callback that takes longer than `limit` seconds on any event loop of asyncio.

    Args:
        limit: seconds.
        report: takes a slow callback after it has ended.
        clock: returns seconds. `time.thread_time` counts the work of the loop's thread alone and leaves out the time in which it sleeps
            or another process has the core.
    """
    watch = _Watch(limit, report, clock)
    looking = threading.Thread(target=watch.look, name="slow-callbacks", daemon=True)

    def run(handle: asyncio.Handle) -> None:
        watch.run(handle)

    _Handle._run = run
    gc.callbacks.append(watch.collect)
    looking.start()
    try:
        yield
    finally:
        _Handle._run = _run
        gc.callbacks.remove(watch.collect)
        watch.ended.set()
        looking.join()


@contextmanager
def slow_callbacks_logged(limit: float | None) -> Generator[None]:
    """Log each callback that takes longer than `limit` seconds; watch nothing if it is None."""
    if limit is None:
        yield
        return
    log = get_logger(__name__)
    with watched_event_loops(
        limit, lambda slow: log.warning("slow callback", seconds=round(slow.seconds, 3), task=slow.task, lines=slow.stack)
    ):
        yield


def _described(handle: Any) -> str:
    owner = getattr(handle._callback, "__self__", None)  # asyncio's own debug mode reads it likewise
    return repr(owner if isinstance(owner, asyncio.Task) else handle)  # pyright: ignore[reportUnknownArgumentType]


def _lines(frame: FrameType | None) -> Iterator[str]:
    while frame is not None and frame.f_code is not _run.__code__:
        yield f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"
        frame = frame.f_back
