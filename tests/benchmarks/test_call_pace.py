"""Callers of the load keep the moments at which they began, so that they stay spread over time."""

from __future__ import annotations

import pytest

from benchmarks.load.call_pace import CallPace


def test_callers_keep_their_distance_and_late_calls_are_followed_at_once() -> None:
    early, late = CallPace(4, first=100.5), CallPace(4, first=103.0)
    assert [early.wait(100.6), late.wait(103.1)] == pytest.approx([3.9, 3.9])  # their calls begin at 104.5 and 107
    assert early.wait(109.0) == 0  # the call has lasted from 104.5 to 109
    assert early.wait(109.5) == pytest.approx(3.5)  # the pace goes on from 109
