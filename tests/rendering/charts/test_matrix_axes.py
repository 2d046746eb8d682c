from __future__ import annotations

import numpy as np

from rendering.charts.matrix_axes import CountedAxis, counted_axis, with_axes
from rendering.charts.style import FAINT

PICTURE = np.full((60, 200, 3), 90, np.uint8)


def test_the_picture_is_unchanged_at_the_lower_right() -> None:
    made = with_axes(PICTURE, counted_axis("input", 3), counted_axis("output", 5), 12)
    np.testing.assert_array_equal(made[-60:, -200:], PICTURE)


def test_ticks_stand_in_the_middle_of_rows_and_columns() -> None:
    made = with_axes(PICTURE, counted_axis("input", 3), counted_axis("output", 5), 12)
    left, top = made.shape[1] - 200, made.shape[0] - 60
    across = np.flatnonzero((made[top - 2, left:] == FAINT).all(axis=1))
    down = np.flatnonzero((made[top:, left - 2] == FAINT).all(axis=1))
    assert across.tolist() == [20, 60, 100, 140, 180]
    assert down.tolist() == [10, 30, 50]


def test_only_round_steps_have_words_where_there_is_no_room() -> None:
    made = with_axes(PICTURE, counted_axis("input", 60), counted_axis("output", 200), 12)
    left, top = made.shape[1] - 200, made.shape[0] - 60
    across = np.flatnonzero((made[top - 2, left:] == FAINT).all(axis=1))
    assert 2 <= len(across) <= 6
    assert len(set(np.diff(across))) == 1
    assert len(np.flatnonzero((made[top:, left - 2] == FAINT).all(axis=1))) <= 5


def test_words_of_chosen_rows_are_their_own() -> None:
    seven = with_axes(PICTURE, CountedAxis("filter", ["7"]), counted_axis("output", 1), 12)
    one = with_axes(PICTURE, CountedAxis("filter", ["1"]), counted_axis("output", 1), 12)
    assert seven.shape == one.shape
    assert (seven != one).any()


def test_the_sheet_is_as_wide_as_the_name_of_the_columns_needs() -> None:
    """Words that do not fit above the picture go on to its right, and nothing of them is cut off."""
    narrow, name = PICTURE[:, :20], "weights for the input"
    made = with_axes(narrow, counted_axis("filter", 1), CountedAxis(name, ["0"]), 12)
    alone = with_axes(PICTURE, counted_axis("filter", 1), CountedAxis(name, [""]), 12)
    ink = [np.flatnonzero((each[:18] != 255).any(axis=(0, 2)))[-1] for each in (made, alone)]
    assert ink[0] == ink[1]
