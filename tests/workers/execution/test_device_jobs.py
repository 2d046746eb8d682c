"""Errors on the device: which job gets which error, and how a batch is split."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence

import pytest

from schemas.errors import JobTimeout, NonFinite, OutOfMemory
from tests.workers.execution.recorded import ListedWork
from tests.workers.execution.scheduling import WAIT, Gate, values
from workers.execution.at_work import ExecutionsAtWork
from workers.execution.device_budget import DeviceBudget


@pytest.mark.parametrize(
    ("fits", "sizes"), [(4, [8, 4, 4]), (2, [8, 4, 2, 2, 4, 2, 2]), (1, [8, 4, 2, 1, 1, 2, 1, 1, 4, 2, 1, 1, 2, 1, 1])]
)
def test_a_batch_that_does_not_fit_in_memory_is_halved(make_scheduler, fits, sizes):
    scheduler, calls = make_scheduler(max_batch=8), []

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


def test_a_job_that_is_too_large_fails_alone_and_the_device_goes_on(make_scheduler):
    scheduler = make_scheduler(max_batch=8)

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


def test_an_error_reaches_the_job_it_belongs_to_and_no_other(make_scheduler):
    scheduler = make_scheduler()

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


def test_too_few_answers_are_an_error_not_somebody_elses_answer(make_scheduler):
    scheduler = make_scheduler()
    gate = Gate(scheduler)
    futures = [scheduler.fast("a", item, lambda items: list(items)[:1]) for item in (1, 2)]
    gate.open()
    assert values(futures) == [1, 2]  # each ran alone after the batch had failed, and one item gives one answer
    assert isinstance(scheduler.fast("a", 1, lambda _: []).exception(WAIT), RuntimeError)


def test_errors_of_slow_jobs_and_of_their_listeners(make_scheduler):
    scheduler = make_scheduler()

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


def test_a_slow_job_ends_when_its_own_slices_have_used_its_seconds(make_scheduler):
    """Each of its slices takes 40 s by the clock, and each slice of another job in between takes 1,000 s."""
    now = [0.0]
    scheduler = make_scheduler(clock=lambda: now[0])
    closed: list[int] = []

    def steps(seconds: float) -> Generator[int, None, str]:
        try:
            for step in range(5):
                now[0] += seconds
                yield step
            return "done"
        finally:
            closed.append(step)

    gate, seen = Gate(scheduler), list[int]()
    limited = scheduler.slow("a", steps(40), seen.append, DeviceBudget(100))
    other = scheduler.slow("b", steps(1000), lambda _: None)
    gate.open()
    error = limited.exception(WAIT)
    assert isinstance(error, JobTimeout)
    assert str(error) == (
        "The job has used 120.0 s of the device in 3 slices. A job may use at most 100 s of the device (CONVSCOPE_JOB_DEVICE_SECONDS)."
    )
    assert (seen, closed[0]) == ([0, 1, 2], 2)
    assert other.result(WAIT).seconds == 5000
    assert now[0] == 5120


def test_a_slow_job_that_ends_with_its_last_second_has_its_result(make_scheduler):
    now = [0.0]

    def steps() -> Generator[int, None, str]:
        now[0] += 99
        yield 0
        now[0] += 99
        return "done"

    answer = make_scheduler(clock=lambda: now[0]).slow("a", steps(), lambda _: None, DeviceBudget(100)).result(WAIT)
    assert (answer.value, answer.seconds) == ("done", 198)


def test_the_jobs_on_the_device_are_at_work_and_those_that_wait_are_not(make_scheduler):
    """Two of three jobs fit in a batch, and a slow job takes turns with them."""
    scheduler, record, seen = make_scheduler(max_batch=2), ListedWork(), {}
    at_work = ExecutionsAtWork(record)
    gate = Gate(scheduler)

    def run(items: Sequence[str]) -> Sequence[str]:
        seen["+".join(items)] = record.ids
        return items

    def slices() -> Generator[int, None, str]:
        seen["first slice"] = record.ids
        yield 1
        seen["last slice"] = record.ids
        return "done"

    futures = []
    for name in "abc":
        with at_work.holding(name):
            futures.append(scheduler.fast("key", name, run))
    with at_work.holding("slow"):
        futures.append(scheduler.slow("slow", slices(), lambda _: seen.update({"between": record.ids})))
    assert record.ids == []
    gate.open()
    assert values(futures) == ["a", "b", "c", "done"]
    assert seen == {"a+b": ["a", "b"], "c": ["c"], "first slice": ["slow"], "between": [], "last slice": ["slow"]}


def test_a_batch_that_is_split_is_at_work_in_parts(make_scheduler):
    scheduler, record, seen = make_scheduler(max_batch=4), ListedWork(), []
    at_work = ExecutionsAtWork(record)
    gate = Gate(scheduler)

    def run(items: Sequence[str]) -> Sequence[str]:
        seen.append(record.ids)
        if len(items) > 2:
            raise OutOfMemory("too large")
        return items

    futures = []
    for name in "abcd":
        with at_work.holding(name):
            futures.append(scheduler.fast("key", name, run))
    gate.open()
    values(futures)
    assert seen == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"]]
