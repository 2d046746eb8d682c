from __future__ import annotations

import multiprocessing
import time

import pytest

from workers.supervision.watchdog import Watchdog


@pytest.fixture
def watchdog() -> Watchdog:
    return Watchdog(multiprocessing.get_context("forkserver"), 2)


def test_nothing_is_overdue_without_a_deadline_and_before_it(watchdog: Watchdog) -> None:
    assert watchdog.overdue() is None
    watchdog.expect_event_loop(60)
    watchdog.expect_device_call(0, 60)
    assert watchdog.overdue() is None


def test_a_missed_deadline_names_its_part(watchdog: Watchdog) -> None:
    watchdog.expect_device_call(1, -0.001)
    assert watchdog.overdue() == "device thread 1"
    watchdog.device_call_ends(1)
    assert watchdog.overdue() is None
    watchdog.expect_event_loop(-0.001)
    assert watchdog.overdue() == "event loop"
    watchdog.expect_event_loop(60)
    assert watchdog.overdue() is None


def test_all_processes_share_one_clock():
    assert time.get_clock_info("monotonic").implementation == "clock_gettime(CLOCK_MONOTONIC)"
