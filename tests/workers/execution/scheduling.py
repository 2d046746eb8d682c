"""Plain Python work for the tests of the scheduler."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future

from workers.execution.device_jobs import DeviceResult
from workers.execution.scheduler import Scheduler

WAIT = 10.0  # seconds after which a test fails


class Recorder:
    """Work that squares its items and records each call on the device."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    def square(self, items: Sequence[int]) -> list[int]:
        self.calls.append(list(items))
        return [item * item for item in items]


class Gate:
    """A fast job that occupies the device until it is opened, so that other jobs have to wait."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._entered, self._opened = threading.Event(), threading.Event()
        self.future = scheduler.fast("gate", 0, self._hold)
        assert self._entered.wait(WAIT)

    def _hold(self, items: Sequence[int]) -> Sequence[int]:
        self._entered.set()
        assert self._opened.wait(WAIT)
        return items

    def open(self) -> None:
        self._opened.set()


def values(futures: Sequence[Future[DeviceResult[int]]]) -> list[int]:
    return [future.result(WAIT).value for future in futures]
