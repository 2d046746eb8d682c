from __future__ import annotations

import numpy as np
import pytest

from rendering.charts.correlations import Correlation, correlations
from rendering.charts.style import BLUE
from rendering.text import PAPER


def test_correlations_go_left_and_right_of_the_middle() -> None:
    values = (1.0, 0.5, -0.5, -1.0, 0.0, None)
    sheet = correlations([Correlation(f"row {value}" * 40, value) for value in values], "title")
    blue = (sheet == BLUE).all(axis=2)
    spans: list[tuple[int, int]] = []
    for index in range(len(values)):
        columns = np.flatnonzero(blue[40 + 26 * index + 9])
        spans.append((columns[0], columns[-1]) if len(columns) else (0, 0))
    whole = spans[0][1] - spans[0][0]
    assert spans[1][1] - spans[1][0] == pytest.approx(whole / 2, abs=2)
    assert spans[2][1] - spans[2][0] == pytest.approx(whole / 2, abs=2)
    assert spans[2][1] <= spans[1][0]
    assert spans[3][0] < spans[2][0]
    assert spans[3][1] - spans[3][0] == pytest.approx(whole, abs=2)
    assert (sheet[:, -10:] == PAPER).all()
