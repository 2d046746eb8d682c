"""The short version of `make drill-soak`: after a minute of varying jobs, nothing has grown more than it may."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmarks.soak_drill.calls import call
from benchmarks.soak_drill.drill import soak
from benchmarks.soak_drill.vitals import Vitals, growth

_ZERO = Vitals(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_nothing_grows_with_the_number_of_jobs(tmp_path: Path) -> None:
    figures = await soak(minutes=1).run(tmp_path, True)
    assert [str(figure) for figure in figures if not figure.holds] == []


def test_growth_is_that_between_the_medians_of_the_two_parts_of_the_second_half() -> None:
    """The fifth and sixth of eight states have the median 15, and the last two have 35. There are 400 jobs between them."""
    values = [900, 0, 900, 0, 10, 20, 20, 50]
    states = [_state(jobs=200 * number, descriptors=value) for number, value in enumerate(values)]
    assert growth(states, lambda each: each.descriptors) == (20, 50)


def test_a_single_high_state_is_no_growth() -> None:
    states = [_state(jobs=10 * number, files=1000 if number == 14 else 5) for number in range(16)]
    assert growth(states, lambda each: each.files) == (0, 0)


def test_calls_differ_in_everything_and_are_the_same_each_time() -> None:
    calls = [call(number) for number in range(400)]
    assert calls == [call(number) for number in range(400)]
    assert len({each.method for each in calls}) == 14
    assert len({each.fields["model"] for each in calls}) == 6
    assert sum(each.status == 422 for each in calls) == 16


def _state(**changes: int) -> Vitals:
    return dataclasses.replace(_ZERO, **changes)
