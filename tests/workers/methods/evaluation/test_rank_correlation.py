"""Spearman's rank correlation by hand."""

from __future__ import annotations

import numpy as np
import pytest

from workers.methods.evaluation.rank_correlation import spearman


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1, 2, 3, 4], [1, 3, 2, 4], 0.8),  # 1 − 6·2/(4·15)
        ([1, 2, 3], [-5, 0, 70], 1.0),
        ([1, 2, 3], [9, 8, -1], -1.0),
        ([1, 2, 2, 3], [1, 2, 3, 4], 4.5 / 22.5**0.5),  # the ranks are 1, 2.5, 2.5, 4
        ([1, 1, 1], [1, 2, 3], None),
        ([1, 2, np.nan], [1, 2, 3], None),
    ],
)
def test_rank_correlation_by_hand(first: list[float], second: list[float], expected: float | None) -> None:
    found = spearman(np.array([first], np.float32), np.array([second], np.float32))
    assert found == (None if expected is None else pytest.approx(expected))
