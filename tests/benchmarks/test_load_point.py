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
    seconds = {str(100 + second): 5 for second in range(13)}  # 13 seconds: the first pace of 4, then two whole ones, and one second
    entries = [
        {"response_times": {"20": 50, "40": 15}, "num_failures": 0, "num_reqs_per_sec": seconds, "num_fail_per_sec": {}},
        {"response_times": {"300": 10}, "num_failures": 4, "num_reqs_per_sec": {"105": 10}, "num_fail_per_sec": {"105": 4}},
    ]
    point = summary(entries, "mixed", 2, 6.0)
    assert (point.traffic, point.workers, point.offered, point.failed) == ("mixed", 2, 6.0, 4)
    assert point.answered == 5.75  # (8 · 5 + 10 − 4) in 8 seconds
    assert (point.p50, point.p95, point.p99) == (20, 300, 300)
