"""Put annotated pictures under one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from rendering.annotations import PictureWords, annotated, letters_for
from rendering.titles import narrowed, widened

ANNOTATED_WIDTHS = (640, 1600)  # pixels: the least and the largest width of a sheet


def annotated_sheet(
    title: Sequence[str], pictures: Sequence[UInt8[np.ndarray, "_ _ 3"]], titles: Sequence[str], notes: Sequence[str]
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the pictures under one another, each between its title and its note, below the parts of a title for all of them.

    The sheet is as wide as the widest picture, but between 640 and 1,600 pixels. A picture that is wider is reduced to it.
    """
    narrow, wide = ANNOTATED_WIDTHS
    width = min(wide, max(narrow, *(picture.shape[1] for picture in pictures)))
    rows: list[np.ndarray] = []
    for picture, own, note in zip(pictures, titles, notes, strict=True):
        words = PictureWords((own,), note=note) if rows else PictureWords(tuple(title), own, note)
        rows.append(annotated(widened(narrowed(picture, width), width), replace(words, letters=letters_for(width)), None))
    return np.concatenate(rows, axis=0)
