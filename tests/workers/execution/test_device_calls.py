"""Calls on the device are timed, watched and reported."""

from __future__ import annotations

from collections.abc import Generator, Hashable

from tests.workers.execution.scheduling import WAIT, Gate, values
from workers.execution.device_calls import DeviceTimeouts


def test_the_first_call_of_a_key_may_take_longer_because_it_compiles(make_scheduler):
    allowed: list[float] = []
    left: list[int] = []

    class RecordingWatch:
        def device_call_begins(self, thread: int, seconds: float) -> None:
            allowed.append(seconds)

        def device_call_ends(self, thread: int) -> None:
            left.append(thread)

    scheduler = make_scheduler(timeouts=DeviceTimeouts(call=3.0, first_call=9.0), watch=RecordingWatch())
    for key in ("a", "a", "b", "a"):
        scheduler.fast(key, 0, list).result(WAIT)

    def steps() -> Generator[int, None, None]:
        yield 0

    scheduler.slow("s", steps(), lambda _: None).result(WAIT)
    assert allowed == [9.0, 3.0, 9.0, 3.0, 9.0, 3.0]
    assert left == [0] * 6


def test_device_calls_are_reported(make_scheduler):
    calls: list[tuple[Hashable, int]] = []
    scheduler = make_scheduler(on_call=lambda key, size, seconds: calls.append((key, size if seconds >= 0 else -1)))
    gate = Gate(scheduler)
    futures = [scheduler.fast("a", item, list) for item in (1, 2)]
    gate.open()
    assert values(futures) == [1, 2]
    assert calls == [("gate", 1), ("a", 2)]
