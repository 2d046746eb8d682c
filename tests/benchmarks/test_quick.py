"""`make bench-quick` compares what a job costs with what its engine costs."""

from __future__ import annotations

import pytest

from benchmarks.quick import LEAST_SHARE, QuickFigures


def test_the_ratios_are_those_of_the_throughputs_and_of_the_processor_times() -> None:
    figures = QuickFigures(engine_per_second=120.0, engine_processor=12.0, http_per_second=48.0, http_processor=30.0)
    assert figures.by_time == pytest.approx(0.4)
    assert figures.by_processor == pytest.approx(0.4)
    assert figures.problem() is None


def test_a_busy_machine_is_no_problem() -> None:
    assert QuickFigures(engine_per_second=120.0, engine_processor=12.0, http_per_second=12.0, http_processor=30.0).problem() is None


def test_a_job_that_costs_more_around_the_engine_is_a_problem() -> None:
    most = 12.0 / LEAST_SHARE
    assert QuickFigures(120.0, 12.0, 48.0, most - 0.1).problem() is None
    problem = QuickFigures(120.0, 12.0, 48.0, 2 * most).problem()
    assert problem is not None
    assert f"{LEAST_SHARE / 2:.2f}" in problem
    assert f"{2 * most - 12:.1f} ms" in problem
