"""Time every call on the device, and watch that it returns."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol, TypeVar

Answer = TypeVar("Answer")

KNOWN_KEYS = 4096  # keys that are remembered as compiled


@dataclass(frozen=True)
class DeviceTimeouts:
    """Longest durations of one call on the device, in seconds. The first call of its key also compiles."""

    call: float = 30.0
    first_call: float = 180.0


class DeviceWatch(Protocol):
    """Is told when a device thread begins a call and when the call ends; `workers.supervision.watchdog.Watchdog` is the real one."""

    def device_call_begins(self, thread: int, seconds: float) -> None:
        """Expect the end of the call that begins now within `seconds`."""
        ...

    def device_call_ends(self, thread: int) -> None: ...


class NullDeviceWatch:
    """Watches nothing."""

    def device_call_begins(self, thread: int, seconds: float) -> None: ...
    def device_call_ends(self, thread: int) -> None: ...


class DeviceCalls:
    """Makes the calls on the device.

    `on_call(key, size, seconds)` is called after each call, on the same thread; `size` is the number of jobs in it.
    """

    def __init__(self, timeouts: DeviceTimeouts, watch: DeviceWatch, on_call: Callable[[Hashable, int, float], None] | None) -> None:
        self._timeouts, self._watch, self._on_call = timeouts, watch, on_call
        self._known: OrderedDict[Hashable, None] = OrderedDict()
        self._lock = threading.Lock()

    def timed(self, key: Hashable, size: int, thread: int, call: Callable[[], Answer]) -> tuple[Answer, float]:
        """Return what `call` returns, and the seconds that it took. `thread` is the number of the device thread that calls this."""
        self._watch.device_call_begins(thread, self._longest(key))
        started = time.perf_counter()
        try:
            answer = call()
        finally:
            seconds = time.perf_counter() - started
            self._watch.device_call_ends(thread)
        self._remember(key)
        if self._on_call is not None:
            self._on_call(key, size, seconds)
        return answer, seconds

    def _longest(self, key: Hashable) -> float:
        with self._lock:
            return self._timeouts.call if key in self._known else self._timeouts.first_call

    def _remember(self, key: Hashable) -> None:
        with self._lock:
            self._known[key] = None
            self._known.move_to_end(key)
            if len(self._known) > KNOWN_KEYS:
                self._known.popitem(last=False)
