"""The figures of a load come from the times that locust counts."""

from __future__ import annotations

import pytest

from benchmarks.load.load_point import percentile, summary


def test_a_percentile_is_the_time_that_so_many_calls_do_not_exceed() -> None:
    times = {10.0: 90, 50.0: 5, 400.0: 5}
    assert [percentile(times, share) for share in (0.5, 0.9, 0.91, 0.95, 0.96, 1.0)] == [10, 10, 50, 50, 400, 400]


def test_no_times_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no times"):
        percentile({}, 0.5)


def test_the_kinds_of_calls_are_put_together_and_failures_are_not_answers() -> None:
    entries = [
        {"response_times": {"20": 30, "40": 10}, "num_failures": 0, "start_time": 100.0, "last_request_timestamp": 109.0},
        {"response_times": {"300": 10}, "num_failures": 5, "start_time": 100.5, "last_request_timestamp": 110.0},
    ]
    point = summary(entries, "mixed", 2, 6.0)
    assert (point.traffic, point.workers, point.offered, point.failed) == ("mixed", 2, 6.0, 5)
    assert point.answered == 4.5  # 45 answers in 10 seconds
    assert (point.p50, point.p95, point.p99) == (20, 300, 300)
