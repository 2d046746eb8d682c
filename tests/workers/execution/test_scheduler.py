"""The scheduler with plain Python work: what is batched, who goes first, and what cancelling does."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from concurrent.futures import Future

import pytest

from tests.workers.execution.scheduling import WAIT, Gate, Recorder, values
from workers.execution.device_jobs import DeviceResult


def test_compatible_jobs_that_wait_are_one_batch_others_are_not(make_scheduler):
    scheduler, work = make_scheduler(), Recorder()
    gate = Gate(scheduler)
    futures = [scheduler.fast(key, item, work.square) for key, item in [("a", 1), ("b", 2), ("a", 3), ("a", 4), ("b", 5), ("c", 6)]]
    gate.open()
    assert values(futures) == [1, 4, 9, 16, 25, 36]
    assert work.calls == [[1, 3, 4], [2, 5], [6]]
    assert [future.result().batch for future in futures] == [3, 2, 3, 3, 2, 1]


def test_a_batch_holds_at_most_max_batch_and_the_oldest_goes_first(make_scheduler):
    scheduler, work = make_scheduler(max_batch=3), Recorder()
    gate = Gate(scheduler)
    futures = [scheduler.fast("a", item, work.square) for item in range(7)]
    gate.open()
    assert values(futures) == [0, 1, 4, 9, 16, 25, 36]
    assert work.calls == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_lone_job_does_not_wait_for_company(make_scheduler):
    scheduler, work = make_scheduler(), Recorder()
    assert scheduler.fast("a", 5, work.square).result(WAIT).value == 25
    assert work.calls == [[5]]


def test_slow_jobs_take_turns_and_fast_ones_go_between_their_slices(make_scheduler):
    order: list[str] = []
    scheduler = make_scheduler()
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


def test_a_slow_job_gets_a_slice_when_fast_ones_never_end(make_scheduler):
    scheduler = make_scheduler(max_batch=1, slow_patience=0.01)
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


def test_a_canceled_waiting_job_never_runs(make_scheduler):
    scheduler, work = make_scheduler(), Recorder()
    gate = Gate(scheduler)
    futures = [scheduler.fast("a", item, work.square) for item in (1, 2, 3)]
    assert futures[1].cancel()
    gate.open()
    assert values([futures[0], futures[2]]) == [1, 9]
    assert work.calls == [[1, 3]]


def test_a_canceled_slow_job_stops_at_the_end_of_its_slice(make_scheduler):
    scheduler, closed, second = make_scheduler(), threading.Event(), threading.Event()

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


def test_two_executors_run_two_jobs_at_once_but_a_slow_job_once(make_scheduler):
    scheduler = make_scheduler(threads=2, max_batch=1)
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


def test_close_cancels_what_waits_and_refuses_more(make_scheduler):
    scheduler = make_scheduler()
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
