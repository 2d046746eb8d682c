"""Calls on the device are timed, watched and reported."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence

from tests.workers.execution.scheduling import WAIT, Gate, values
from workers.execution.device_calls import DeviceTimeouts


class RecordingWatch:
    """Records the seconds that each call is allowed, and the threads whose calls have ended."""

    def __init__(self) -> None:
        self.allowed: list[float] = []
        self.left: list[int] = []

    def expect_device_call(self, thread: int, seconds: float) -> None:
        assert thread == 0
        self.allowed.append(seconds)

    def device_call_ends(self, thread: int) -> None:
        self.left.append(thread)


def test_whatever_compiles_is_allowed_more_time_and_then_the_time_of_a_call(make_scheduler):
    watch = RecordingWatch()
    scheduler = make_scheduler(timeouts=DeviceTimeouts(call=3.0, compilation=9.0), watch=watch)

    def compile_first(items: Sequence[int]) -> Sequence[int]:
        with scheduler.compiling():
            watch.allowed.append(-1)
        return items

    scheduler.fast("a", 0, list).result(WAIT)
    scheduler.fast("a", 0, compile_first).result(WAIT)
    assert watch.allowed == [3.0, 3.0, 9.0, -1, 3.0]

    def steps() -> Generator[int, None, None]:
        with scheduler.compiling():
            pass
        yield 0

    scheduler.slow("s", steps(), lambda _: None).result(WAIT)
    assert watch.allowed[5:] == [3.0, 9.0, 3.0, 3.0]
    assert watch.left == [0] * 4


def test_compiling_outside_of_a_device_call_is_not_watched(make_scheduler):
    watch = RecordingWatch()
    scheduler = make_scheduler(watch=watch)
    with scheduler.compiling():
        pass
    assert watch.allowed == []


def test_a_compilation_that_fails_leaves_the_time_of_a_call(make_scheduler):
    watch = RecordingWatch()
    scheduler = make_scheduler(timeouts=DeviceTimeouts(call=3.0, compilation=9.0), watch=watch)

    def fail(items: Sequence[int]) -> Sequence[int]:
        with scheduler.compiling():
            raise KeyError("trace")

    assert isinstance(scheduler.fast("a", 0, fail).exception(WAIT), KeyError)
    assert (watch.allowed, watch.left) == ([3.0, 9.0, 3.0], [0])


def test_calls_are_timed_by_the_given_clock(make_scheduler):
    times = iter([100.0, 142.0])
    assert make_scheduler(clock=lambda: next(times)).fast("a", 0, list).result(WAIT).seconds == 42.0


def test_device_calls_are_reported(make_scheduler):
    calls: list[tuple[Hashable, int]] = []
    scheduler = make_scheduler(on_call=lambda key, size, seconds: calls.append((key, size if seconds >= 0 else -1)))
    gate = Gate(scheduler)
    futures = [scheduler.fast("a", item, list) for item in (1, 2)]
    gate.open()
    assert values(futures) == [1, 2]
    assert calls == [("gate", 1), ("a", 2)]
