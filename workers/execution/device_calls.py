"""Time every call on the device, and watch that it returns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class DeviceTimeouts:
    """Longest durations on the device, in seconds: of one call, and of one compilation within a call."""

    call: float = 30.0
    compilation: float = 180.0


class DeviceWatch(Protocol):
    """Is told when a device thread begins a call and when the call ends; `workers.supervision.watchdog.Watchdog` is the real one."""

    def expect_device_call(self, thread: int, seconds: float) -> None:
        """Expect a sign of life of this thread's call within `seconds` from now: its end, or the next call of this method."""
        ...

    def device_call_ends(self, thread: int) -> None: ...


class NullDeviceWatch:
    """Watches nothing."""

    def expect_device_call(self, thread: int, seconds: float) -> None: ...
    def device_call_ends(self, thread: int) -> None: ...


class DeviceCalls:
    """Makes the calls on the device.

    Args:
        timeouts: how long a call may take, and how long something that it compiles.
        watch: is told of the beginning and the end of each call and of each compilation.
        on_call: `on_call(key, size, seconds)` is called after each call, on the same thread; `size` is the number of jobs in it.
        clock: returns the time in seconds.
    """

    def __init__(
        self,
        timeouts: DeviceTimeouts,
        watch: DeviceWatch,
        on_call: Callable[[Hashable, int, float], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._timeouts, self._watch, self._on_call, self._clock = timeouts, watch, on_call, clock
        self._in_call = threading.local()  # `thread` is the number of the device thread, while it is in a call

    def timed(self, key: Hashable, size: int, thread: int, call: Callable[[], Answer]) -> tuple[Answer, float]:
        """Return what `call` returns, and the seconds that it took. `thread` is the number of the device thread that calls this."""
        self._watch.expect_device_call(thread, self._timeouts.call)
        self._in_call.thread = thread
        started = self._clock()
        try:
            answer = call()
        finally:
            seconds = self._clock() - started
            self._in_call.thread = None
            self._watch.device_call_ends(thread)
        if self._on_call is not None:
            self._on_call(key, size, seconds)
        return answer, seconds

    @contextmanager
    def compiling(self) -> Generator[None]:
        """Allow the call that this thread is in the time of a compilation inside the context, and the time of a call after it.

        Whatever compiles enters this context, because it alone knows that it does. On a thread that is in no call, nothing happens.
        """
        thread: int | None = getattr(self._in_call, "thread", None)
        if thread is None:
            yield
            return
        self._watch.expect_device_call(thread, self._timeouts.compilation)
        try:
            yield
        finally:
            self._watch.expect_device_call(thread, self._timeouts.call)
