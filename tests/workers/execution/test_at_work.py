"""A worker writes to the record which executions are worked on, and no more than that."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.workers.execution.recorded import ListedWork
from workers.execution.at_work import ExecutionsAtWork, all_under_way, work
from workers.execution.threads import at_work_in_pool, in_pool


def test_an_execution_is_recorded_until_its_last_thread_has_ended() -> None:
    record = ListedWork(2)
    at_work = ExecutionsAtWork(record)
    with at_work.holding("a"):
        assert record.ids == []  # it is held, and nothing works on it
        with work().under_way():
            with work().under_way():
                assert record.ids == ["a"]
            assert record.ids == ["a"]
        assert record.ids == []


def test_all_of_a_batch_are_recorded_and_their_places_are_used_again() -> None:
    record = ListedWork(3)
    at_work = ExecutionsAtWork(record)
    works = []
    for name in "abcd":
        with at_work.holding(name):
            works.append(work())
    for batch in (works[:3], works[1:], works[2:3]):
        with all_under_way(batch):
            assert sorted(record.ids) == [each.execution for each in batch]
        assert record.ids == []
    with pytest.raises(IndexError), all_under_way(works):
        pass
    assert record.ids == []


async def test_a_thread_of_a_pool_works_on_the_execution_of_its_task() -> None:
    record, begun, go_on = ListedWork(4), threading.Semaphore(0), threading.Event()
    at_work = ExecutionsAtWork(record)

    def compute(number: int) -> int:
        begun.release()
        go_on.wait(30)
        return number + 1

    async def hold(name: str, number: int) -> int:
        with at_work.holding(name):
            return await at_work_in_pool(pool, compute, number)

    with ThreadPoolExecutor(2) as pool:
        tasks = [asyncio.create_task(hold(name, number)) for number, name in enumerate("abc")]
        for _ in range(2):
            await asyncio.to_thread(begun.acquire, timeout=30)
        assert record.ids == ["a", "b"]  # the third waits for a thread
        go_on.set()
        assert await asyncio.gather(*tasks) == [1, 2, 3]
    assert record.ids == []


async def test_a_thread_that_only_waits_for_a_child_process_is_not_at_work() -> None:
    record = ListedWork(1)
    with ThreadPoolExecutor(1) as pool, ExecutionsAtWork(record).holding("a"):
        assert await in_pool(pool, lambda: record.ids) == []
        assert await at_work_in_pool(pool, lambda: record.ids) == ["a"]


def test_work_without_an_execution_is_recorded_nowhere() -> None:
    with work().under_way():
        assert work().execution == ""
