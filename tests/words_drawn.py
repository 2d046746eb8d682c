"""Collect the words that are written on pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PIL import ImageDraw

from rendering import text


@contextmanager
def words_drawn() -> Iterator[list[str]]:
    """Yield a list to which all words are added that are written while the block runs."""
    words: list[str] = []
    written = ImageDraw.ImageDraw.text

    def noting(draw: ImageDraw.ImageDraw, place: tuple[float, float], words_of_line: str, *args: Any, **options: Any) -> None:
        words.append(words_of_line)
        written(draw, place, words_of_line, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ImageDraw.ImageDraw, "text", noting)
        text._shapes.cache_clear()  # a line that was written before would be drawn from there
        yield words
