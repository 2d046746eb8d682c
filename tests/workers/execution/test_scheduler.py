"""The scheduler with plain Python work: what is batched, who goes first, who gets which error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from concurrent.futures import Future

import pytest

from schemas.errors import NonFinite, OutOfMemory
from workers.execution.device_calls import DeviceTimeouts
from workers.execution.device_jobs import DeviceResult
from workers.execution.scheduler import Scheduler

WAIT = 10.0


class Recorder:
    """Work that notes each device call and squares its items."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    def square(self, items: Sequence[int]) -> list[int]:
        self.calls.append(list(items))
        return [item * item for item in items]


class Gate:
    """A fast job that holds the device until it is opened, so that others pile up behind it."""

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


@pytest.fixture
def make() -> Iterator[Callable[..., Scheduler]]:
    made: list[Scheduler] = []

    def _make(**changes: object) -> Scheduler:
        settings: dict[str, object] = {"threads": 1, "max_batch": 4, **changes}
        made.append(Scheduler(**settings))  # type: ignore[arg-type]
        return made[-1]

    yield _make
    for scheduler in made:
        scheduler.close()


def values(futures: Sequence[Future[DeviceResult[int]]]) -> list[int]:
    return [future.result(WAIT).value for future in futures]


def test_compatible_jobs_that_wait_are_one_batch_others_are_not(make):
    scheduler, work = make(), Recorder()
    gate = Gate(scheduler)
    futures = [scheduler.fast(key, item, work.square) for key, item in [("a", 1), ("b", 2), ("a", 3), ("a", 4), ("b", 5), ("c", 6)]]
    gate.open()
    assert values(futures) == [1, 4, 9, 16, 25, 36]
    assert work.calls == [[1, 3, 4], [2, 5], [6]]
    assert [future.result().batch for future in futures] == [3, 2, 3, 3, 2, 1]


def test_a_batch_holds_at_most_max_batch_and_the_oldest_goes_first(make):
    scheduler, work = make(max_batch=3), Recorder()
    gate = Gate(scheduler)
    futures = [scheduler.fast("a", item, work.square) for item in range(7)]
    gate.open()
    assert values(futures) == [0, 1, 4, 9, 16, 25, 36]
    assert work.calls == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_lone_job_does_not_wait_for_company(make):
    scheduler, work = make(), Recorder()
    assert scheduler.fast("a", 5, work.square).result(WAIT).value == 25
    assert work.calls == [[5]]


def test_slow_jobs_take_turns_and_fast_ones_go_between_their_slices(make):
    order: list[str] = []
    scheduler = make()
    submitted: list[Future[DeviceResult[int]]] = []

    def fast(items: Sequence[int]) -> Sequence[int]:
        order.append(f"fast x{len(items)}")
        return items

    def steps(name: str) -> Generator[int, None, str]:
        for number in range(3):
            order.append(f"{name}{number}")
            if (name, number) == ("a", 1):
                submitted.extend(scheduler.fast("k", item, fast) for item in (7, 8))
            yield number
        return name

    gate = Gate(scheduler)
    seen: list[int] = []
    first = scheduler.slow("a", steps("a"), seen.append)
    second = scheduler.slow("b", steps("b"), lambda _: None)
    gate.open()
    assert (first.result(WAIT).value, second.result(WAIT).value) == ("a", "b")
    assert values(submitted) == [7, 8]
    assert order == ["a0", "b0", "a1", "fast x2", "b1", "a2", "b2"]
    assert seen == [0, 1, 2]


def test_a_slow_job_gets_a_slice_when_fast_ones_never_end(make):
    scheduler = make(max_batch=1, slow_patience=0.01)
    ended = threading.Event()

    def steps() -> Generator[int, None, str]:
        yield 0
        ended.set()
        return "done"

    def endless(items: Sequence[int]) -> Sequence[int]:
        if not ended.is_set():
            scheduler.fast("endless", 0, endless)
        return items

    scheduler.fast("endless", 0, endless)
    assert scheduler.slow("s", steps(), lambda _: None).result(WAIT).value == "done"


@pytest.mark.parametrize(
    ("fits", "sizes"), [(4, [8, 4, 4]), (2, [8, 4, 2, 2, 4, 2, 2]), (1, [8, 4, 2, 1, 1, 2, 1, 1, 4, 2, 1, 1, 2, 1, 1])]
)
def test_a_batch_the_memory_does_not_hold_is_halved(make, fits, sizes):
    scheduler, calls = make(max_batch=8), []

    def run(items: Sequence[int]) -> list[int]:
        calls.append(len(items))
        if len(items) > fits:
            raise OutOfMemory("too large")
        return [item + 100 for item in items]

    gate = Gate(scheduler)
    futures = [scheduler.fast("a", item, run) for item in range(8)]
    gate.open()
    assert values(futures) == [100 + item for item in range(8)]
    assert calls == sizes


def test_a_job_too_large_alone_fails_alone_and_the_device_lives(make):
    scheduler = make(max_batch=8)

    def run(items: Sequence[int]) -> list[int]:
        if 3 in items:
            raise OutOfMemory("too large")
        return list(items)

    gate = Gate(scheduler)
    futures = [scheduler.fast("a", item, run) for item in range(8)]
    gate.open()
    for item, future in enumerate(futures):
        if item == 3:
            assert isinstance(future.exception(WAIT), OutOfMemory)
        else:
            assert future.result(WAIT).value == item
    assert scheduler.fast("a", 9, run).result(WAIT).value == 9


def test_an_error_reaches_the_job_it_belongs_to_and_no_other(make):
    scheduler = make()

    def run(items: Sequence[int]) -> list[int]:
        if 2 in items:
            raise NonFinite(f"item 2 among {len(items)}")
        return list(items)

    gate = Gate(scheduler)
    futures = [scheduler.fast("a", item, run) for item in (1, 2, 3)]
    gate.open()
    assert futures[0].result(WAIT).value == 1
    assert futures[2].result(WAIT).value == 3
    assert str(futures[1].exception(WAIT)) == "item 2 among 1"


def test_too_few_answers_are_an_error_not_somebody_elses_answer(make):
    scheduler = make()
    gate = Gate(scheduler)
    futures = [scheduler.fast("a", item, lambda items: list(items)[:1]) for item in (1, 2)]
    gate.open()
    assert values(futures) == [1, 2]  # each alone: one answer for one item
    assert isinstance(scheduler.fast("a", 1, lambda _: []).exception(WAIT), RuntimeError)


def test_errors_of_slow_jobs_and_of_their_listeners(make):
    scheduler = make()

    def broken() -> Generator[int, None, int]:
        yield 0
        raise ValueError("step 1")

    def listener(_: int) -> None:
        raise KeyError("listener")

    closed = threading.Event()

    def endless() -> Generator[int, None, int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    assert str(scheduler.slow("a", broken(), lambda _: None).exception(WAIT)) == "step 1"
    assert isinstance(scheduler.slow("b", endless(), listener).exception(WAIT), KeyError)
    assert closed.wait(WAIT)


def test_a_canceled_waiting_job_never_runs(make):
    scheduler, work = make(), Recorder()
    gate = Gate(scheduler)
    futures = [scheduler.fast("a", item, work.square) for item in (1, 2, 3)]
    assert futures[1].cancel()
    gate.open()
    assert values([futures[0], futures[2]]) == [1, 9]
    assert work.calls == [[1, 3]]


def test_a_canceled_slow_job_stops_at_the_end_of_its_slice(make):
    scheduler, closed, second = make(), threading.Event(), threading.Event()

    def endless() -> Generator[int, None, None]:
        try:
            for number in range(1_000_000):
                if number == 1:
                    second.set()
                yield number
        finally:
            closed.set()

    future = scheduler.slow("a", endless(), lambda _: None)
    assert second.wait(WAIT)
    assert future.cancel()
    assert closed.wait(WAIT)
    assert scheduler.fast("b", 1, list).result(WAIT).value == 1


def test_two_executors_run_two_jobs_at_once_but_a_slow_job_once(make):
    scheduler = make(threads=2, max_batch=1)
    both = threading.Barrier(2, timeout=WAIT)

    def meet(items: Sequence[int]) -> Sequence[int]:
        both.wait()
        return items

    assert values([scheduler.fast("a", item, meet) for item in (1, 2)]) == [1, 2]

    inside: list[int] = []

    def steps() -> Generator[int, None, int]:
        most = 0
        for _ in range(50):
            inside.append(1)
            most = max(most, len(inside))
            inside.pop()
            yield 0
        return most

    assert scheduler.slow("s", steps(), lambda _: None).result(WAIT).value == 1


def test_the_first_call_of_a_kind_may_take_longer_for_it_compiles(make):
    allowed: list[float] = []
    left: list[int] = []

    class Watch:
        def device_call_begins(self, thread: int, seconds: float) -> None:
            allowed.append(seconds)

        def device_call_ends(self, thread: int) -> None:
            left.append(thread)

    scheduler = make(timeouts=DeviceTimeouts(call=3.0, first_call=9.0), watch=Watch())
    for key in ("a", "a", "b", "a"):
        scheduler.fast(key, 0, list).result(WAIT)

    def steps() -> Generator[int, None, None]:
        yield 0

    scheduler.slow("s", steps(), lambda _: None).result(WAIT)
    assert allowed == [9.0, 3.0, 9.0, 3.0, 9.0, 3.0]
    assert left == [0] * 6


def test_device_calls_are_reported(make):
    calls: list[tuple[Hashable, int]] = []
    scheduler = make(on_call=lambda key, size, seconds: calls.append((key, size if seconds >= 0 else -1)))
    gate = Gate(scheduler)
    futures = [scheduler.fast("a", item, list) for item in (1, 2)]
    gate.open()
    assert values(futures) == [1, 2]
    assert calls == [("gate", 1), ("a", 2)]


def test_close_cancels_what_waits_and_refuses_more(make):
    scheduler = make()
    gate = Gate(scheduler)
    waiting = scheduler.fast("a", 1, list)

    def steps() -> Generator[int, None, None]:
        yield 0

    slow = scheduler.slow("s", steps(), lambda _: None)
    gate.open()
    scheduler.close()
    assert waiting.cancelled() or waiting.done()
    assert slow.cancelled() or slow.done()
    with pytest.raises(RuntimeError, match="closed"):
        scheduler.fast("a", 1, list)
