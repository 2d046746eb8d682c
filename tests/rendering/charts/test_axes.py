from __future__ import annotations

import pytest

from rendering.charts.axes import ticks


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.0, 1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (-1.0, 3.0, ["-1", "0", "1", "2", "3"]),
        (0.0, 0.0052, ["0", "0.002", "0.004"]),
        (0.0, 147.0, ["0", "50", "100"]),
        (0.0, 2e-30, ["0", "5e-31", "1e-30", "1.5e-30", "2e-30"]),
    ],
)
def test_ticks_are_round(low: float, high: float, words: list[str]) -> None:
    assert [word for _, word in ticks(low, high, wanted=5, whole=False)] == words


def test_counts_have_whole_ticks() -> None:
    assert [word for _, word in ticks(0.0, 2.0, wanted=5, whole=True)] == ["0", "1", "2"]
