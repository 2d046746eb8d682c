from __future__ import annotations

import numpy as np
import pytest

from rendering.number_cells import numbered_cells, short_number


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.25, ".25"), (-0.254, "−.25"), (0.0, ".00"), (-0.001, ".00"), (1.5, "1.50"), (-12.345, "−12.35"), (0.999, "1.00")],
)
def test_numbers_have_two_digits(value: float, words: str) -> None:
    assert short_number(value) == words


def test_each_cell_has_its_colour_and_a_number_that_can_be_read() -> None:
    made = numbered_cells(np.array([[-1.0, 0.0, 1.0]], np.float32), (-1.0, 1.0), "signed", 40)
    assert made.shape == (40, 120, 3)
    for index, colour in enumerate([(33, 102, 172), (247, 247, 247), (178, 24, 43)]):
        cell = made[:, 40 * index : 40 * (index + 1)].astype(int)
        assert np.abs(cell[:3] - colour).max() <= 2
        ink = np.abs(cell - cell[0, 0]).max(axis=2) > 80
        assert ink.any()
        assert not ink[:, 0].any()
        assert not ink[:, -1].any()
        dark = cell[ink].mean() < 128
        assert dark == (index == 1)  # dark letters on white, light ones on red and blue
