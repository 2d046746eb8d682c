"""Tables of words and numbers."""

from __future__ import annotations

import numpy as np
import pytest

from rendering.charts.table import MARK, number_text, table

ROWS = (("Grad-CAM", "0.5"), ("LRP", "0.25"))


def test_a_marked_cell_has_its_colour_and_others_have_not() -> None:
    plain, marked = table("title", ("method", "road"), ROWS), table("title", ("method", "road"), ROWS, marked={(0, 1)})
    assert plain.shape == marked.shape
    changed = np.argwhere((plain != marked).any(axis=-1))
    assert (marked[tuple(changed[0])] == MARK).all()
    top, bottom = changed[:, 0].min(), changed[:, 0].max()
    assert bottom < marked.shape[0] * 0.75  # the first of the two rows
    assert changed[:, 1].min() > marked.shape[1] * 0.3  # the second of the two columns
    assert bottom - top > 15


def test_long_words_are_shortened_and_notes_make_the_picture_wider() -> None:
    short = table("title", ("method",), (("a" * 300,),))
    assert short.shape[1] <= 360 + 2 * 20
    assert table("title", ("method",), (("a",),), ("a note that is far longer than the table, and must not be cut",)).shape[1] > 300
    assert table("title", ("method",), (("a",),), width=700).shape[1] == 700


@pytest.mark.parametrize(
    ("value", "words"), [(None, "–"), (0.0, "0.00"), (0.1234, "0.123"), (-1.5, "−1.50"), (123.4, "123"), (0.00012345, "0.000123")]
)
def test_numbers(value: float | None, words: str) -> None:
    assert number_text(value) == words
