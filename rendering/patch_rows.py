"""Lay out patches of photos in titled rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from rendering import text
from rendering.grid import grid
from rendering.overlays.unseen import UNSEEN
from rendering.side_by_side import CaptionedPicture, fit_in_box
from rendering.titles import titled

SIDE, GAP, LETTERS = 112, 6, 11  # pixels: side of a patch's square, gap between squares, height of a caption's letters


@dataclass(frozen=True)
class PatchRow:
    """A title and the patches under it, from left to right.

    Attributes:
        title: The words above the row.
        patches: The patches and their captions.
        middles: The column of each patch's box over which its caption stands, in pixels. If there are none, it is the middle of the box.
    """

    title: str
    patches: tuple[CaptionedPicture, ...]
    middles: tuple[float, ...] = ()


def patch_sheet(
    title: str, rows: Sequence[PatchRow], columns: int, note: str = "", box: tuple[int, int] = (SIDE, SIDE)
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the rows under one another, each of up to `columns` patches under its title.

    A patch fills a `box` (height, width), which is a square of 112 pixels unless told, under the lines of its caption. `note` is a line
    below them all.
    Places without a patch stay white; a row without any patch is its title alone.
    """
    strips = [titled(_tiles(row, columns, box), row.title) if row.patches else text.line(row.title, _width(columns, box)) for row in rows]
    width = max(strip.shape[1] for strip in strips)
    widened = [np.pad(strip, ((0, GAP), (0, width - strip.shape[1]), (0, 0)), constant_values=text.PAPER[0]) for strip in strips]
    sheet = titled(np.concatenate(widened), title)
    return np.concatenate([sheet, text.line(note, sheet.shape[1], LETTERS)]) if note else sheet


def padded_square(picture: UInt8[np.ndarray, "h w 3"], place: tuple[int, int], shape: tuple[int, int]) -> UInt8[np.ndarray, "side side 3"]:
    """Return a patch as a square, in light grey where there is no photo.

    Args:
        picture: The part of the photo that is there.
        place: The row and the column at which it lies in the whole patch.
        shape: The height and the width of the whole patch. It stands in the middle of the square.
    """
    side = max(shape)
    square = np.full((side, side, 3), UNSEEN, np.uint8)
    top, left = (side - shape[0]) // 2 + place[0], (side - shape[1]) // 2 + place[1]
    square[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return square


def _tiles(row: PatchRow, columns: int, box: tuple[int, int]) -> UInt8[np.ndarray, "H W 3"]:
    empty = CaptionedPicture("", np.full((1, 1, 3), text.PAPER, np.uint8))
    patches = [*row.patches, *[empty] * (columns - len(row.patches))]
    tiles = np.stack([fit_in_box(patch.picture, *box) for patch in patches])
    lines = [patch.caption.split("\n") for patch in patches]
    middles = [*row.middles, *[box[1] / 2] * (columns - len(row.middles))]
    for number in reversed(range(max(map(len, lines)))):
        tiles = text.captioned(tiles, [each[number] if number < len(each) else "" for each in lines], LETTERS, middles)
    return grid(tiles, columns=columns, gap=GAP, background=text.PAPER)


def _width(columns: int, box: tuple[int, int]) -> int:
    return columns * (box[1] + GAP) - GAP
