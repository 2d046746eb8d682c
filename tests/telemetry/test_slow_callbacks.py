"""Slow callbacks are found, and the lines that they ran are named."""

from __future__ import annotations

import asyncio
import base64
import gc
import time
from asyncio.events import Handle
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from telemetry.slow_callbacks import SlowCallback, slow_callbacks_logged, watched_event_loops

Clock = Callable[[], float]


def work(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(1000))


def found_in(coroutine: object, clock: Clock = time.thread_time, limit: float = 0.05) -> list[SlowCallback]:
    found: list[SlowCallback] = []
    with watched_event_loops(limit, found.append, clock):
        asyncio.run(coroutine)  # type: ignore[arg-type]
    return found


async def in_another_task(function: Callable[[], object]) -> None:
    async def begins_the_task() -> None:
        await asyncio.sleep(0)
        function()

    await asyncio.create_task(begins_the_task())


def test_the_task_and_the_line_are_named() -> None:
    (slow,) = found_in(in_another_task(lambda: work(0.2)))
    assert 0.2 <= slow.seconds < 0.4
    assert "begins_the_task" in slow.task
    functions = [line.split()[-1].split(".")[-1] for line in slow.stack]
    assert functions.index("work") < functions.index("begins_the_task")
    assert functions[-1] == "begins_the_task"


def test_a_callback_is_named_too() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(work, 0.2)
        await asyncio.sleep(0)

    (slow,) = found_in(main())
    assert "work(0.2)" in slow.task


def test_quick_steps_are_not_reported() -> None:
    async def main() -> None:
        for _ in range(20):
            work(0.01)
            await asyncio.sleep(0)

    assert found_in(main()) == []


def test_sleep_counts_by_one_clock_and_not_by_the_other() -> None:
    assert found_in(in_another_task(lambda: time.sleep(0.2))) == []
    (slow,) = found_in(in_another_task(lambda: time.sleep(0.2)), time.perf_counter)
    assert slow.seconds >= 0.2
    assert "<lambda>" in slow.stack[0]


def test_a_call_that_lets_no_other_thread_run_is_named() -> None:
    large = bytes(60_000_000)
    (slow,) = found_in(in_another_task(lambda: base64.b64encode(large)))
    assert "b64encode" in slow.stack[0]


@pytest.mark.slow
def test_the_garbage_collector_is_not_blamed_on_a_callback() -> None:
    kept = [[index] for index in range(300_000)]
    began = time.thread_time()
    gc.collect()
    limit = (time.thread_time() - began) / 2
    assert found_in(in_another_task(gc.collect), limit=limit) == []
    assert len(kept) == 300_000


def test_slow_callbacks_are_logged_and_asyncio_is_as_before_afterwards() -> None:
    original = Handle._run
    with capture_logs() as logged:
        with slow_callbacks_logged(None):
            assert Handle._run is original
            asyncio.run(in_another_task(lambda: work(0.1)))
        assert logged == []
        with slow_callbacks_logged(0.09):
            asyncio.run(in_another_task(lambda: work(0.3)))
    assert Handle._run is original
    (line,) = (line for line in logged if "begins_the_task" in line["task"])
    assert (line["event"], line["log_level"]) == ("slow callback", "warning")
    assert any("work" in each for each in line["lines"])
