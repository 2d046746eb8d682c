"""Draw the stages of a sandbox under one another: the output of each on the left, and on the right what made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from rendering import colormaps, text
from rendering.channel_levels import scale_all_channels
from rendering.charts.matrix_axes import CountedAxis, with_axes
from rendering.grid import grid
from rendering.number_cells import numbered_cells
from rendering.side_by_side import LONGEST, SHORTEST, fit_in_box

LETTERS, ROW_GAP, PANEL_GAP = 13, 14, 18  # pixels
KERNELS_WIDTH, LARGEST_CELL, NUMBERED_CELL = 330, 40, 28  # pixels: all kernels of a filter; a weight; a weight with its number
WORDS_WIDTH, INDENT = 420, 8  # pixels: the least width of words, and the space before an example
MOST_FILTERS, MOST_INPUTS = 4, 4  # so many are drawn
COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class StageRow:
    """One row of the sheet.

    Attributes:
        caption: The stage in words, and the shape and the range of its output.
        picture: The output.
        words: What the stage does, in words.
        example: A picture of what it does: kernels, or some values before and after it.
    """

    caption: str
    picture: UInt8[np.ndarray, "h w 3"]
    words: str
    example: UInt8[np.ndarray, "_ _ 3"]


def stage_sheet(rows: Sequence[StageRow], shape: tuple[int, int]) -> UInt8[np.ndarray, "H W 3"]:
    """Return the rows under one another. `shape` is the (height, width) of the photo, which gives each output a box of its proportions."""
    share = LONGEST / max(shape)
    height, width = (max(SHORTEST, round(side * share)) for side in shape)
    drawn = [_row(row, height, width) for row in rows]
    full = max(each.shape[1] for each in drawn)
    return np.concatenate([_padded(each, each.shape[0] + ROW_GAP, full) for each in drawn])[:-ROW_GAP]


def _row(row: StageRow, height: int, width: int) -> UInt8[np.ndarray, "H W 3"]:
    picture = fit_in_box(row.picture, height, width)
    full = max(WORDS_WIDTH, row.example.shape[1])
    panel = np.concatenate([text.line(row.words, full, LETTERS), _padded(row.example, row.example.shape[0], full)])
    tall = max(height, panel.shape[0])
    below = np.concatenate([_padded(picture, tall, width + PANEL_GAP), _padded(panel, tall, panel.shape[1])], axis=1)
    return np.concatenate([text.line(row.caption, below.shape[1], LETTERS), below])


def kernel_picture(kernel: Float32[np.ndarray, "a b inputs filters"], *, of_photo: bool) -> UInt8[np.ndarray, "H W 3"]:
    """Return the kernels in signed colours, a filter in each row and an input in each column, with their numbers if there is room.

    The first four filters and inputs are drawn. `of_photo` says that the inputs are those of a photo.
    The colours go from −max |weight| to max |weight| of all kernels.
    """
    side, inputs, filters = kernel.shape[0], min(kernel.shape[2], MOST_INPUTS), min(kernel.shape[3], MOST_FILTERS)
    limit = float(np.abs(kernel).max()) or 1.0
    cell = max(2, min(LARGEST_CELL, KERNELS_WIDTH // (inputs * side)))
    tiles = [_tile(np.ascontiguousarray(kernel[:, :, each, number]), limit, cell) for number in range(filters) for each in range(inputs)]
    names = COLOURS if of_photo else [f"channel {each}" for each in range(inputs)]
    tiled = grid(np.stack(tiles), columns=inputs, gap=3, background=text.PAPER)
    down = CountedAxis("filter", [str(number) for number in range(filters)])
    return with_axes(tiled, down, CountedAxis("weights for the input", names), LETTERS - 1)


def photo_values(image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "H W 3"]:
    """Return the red, the green and the blue values in the middle of a photo, 0-255, as numbers."""
    middle = _excerpt(image.astype(np.float32), (image.shape[0] // 2, image.shape[1] // 2), 3)
    tiles = [numbered_cells(np.ascontiguousarray(middle[..., each]), (0, 255), "gray", LARGEST_CELL - 4, whole=True) for each in range(3)]
    captioned = text.captioned(np.stack(tiles), COLOURS, LETTERS - 2)
    return _indented(grid(captioned, columns=3, gap=3, background=text.PAPER))


def relu_values(before: Float32[np.ndarray, "h w k"]) -> UInt8[np.ndarray, "H W 3"]:
    """Return some values of channel 0 around its smallest one, before and after a ReLU."""
    lowest = np.unravel_index(int(before[..., 0].argmin()), before.shape[:2])
    part = _excerpt(before, (int(lowest[0]), int(lowest[1])), 4)[..., 0]
    return _before_and_after(part, np.maximum(part, 0))


def pooled_values(before: Float32[np.ndarray, "h w k"], after: Float32[np.ndarray, "H W k"], size: int) -> UInt8[np.ndarray, "_ _ 3"]:
    """Return some windows in the middle of channel 0, and what they become. If a window is too large for numbers, it has colours alone."""
    count = max(1, min(4 // size, *after.shape[:2]))
    top, left = (min(side // 2, side - count) for side in after.shape[:2])
    part = before[top * size : (top + count) * size, left * size : (left + count) * size, 0]
    return _before_and_after(part, after[top : top + count, left : left + count, 0])


def _before_and_after(before: Float32[np.ndarray, "a b"], after: Float32[np.ndarray, "c d"]) -> UInt8[np.ndarray, "H W 3"]:
    limit = float(np.abs(before).max()) or 1.0  # with zeros alone, 0 stays in the middle of the colours
    cell = max(4, min(LARGEST_CELL, (KERNELS_WIDTH // 2 - 20) // before.shape[1]))
    left = _tile(before, limit, cell, whole=True)
    right = _tile(after, limit, max(cell, NUMBERED_CELL), whole=True)
    arrow = text.line("→", 40, 22, centred=True)
    height = max(left.shape[0], right.shape[0], arrow.shape[0])
    sides = [_centred(each, height) for each in (left, arrow, right)]
    joined = np.concatenate(sides, axis=1)
    words = text.line("some values of channel 0, before and after", WORDS_WIDTH - INDENT, LETTERS - 1)
    return _indented(np.concatenate([words, _padded(joined, height, words.shape[1])]))


def _indented(picture: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "H W 3"]:
    return np.pad(picture, ((6, 0), (INDENT, 0), (0, 0)), constant_values=text.PAPER[0])


def _centred(picture: UInt8[np.ndarray, "h w 3"], height: int) -> UInt8[np.ndarray, "H w 3"]:
    above = (height - picture.shape[0]) // 2
    return np.pad(picture, ((above, height - picture.shape[0] - above), (0, 0), (0, 0)), constant_values=text.PAPER[0])


def _excerpt(maps: Float32[np.ndarray, "h w k"], place: tuple[int, int], side: int) -> Float32[np.ndarray, "a b k"]:
    """Return up to `side` × `side` positions around a place. At a border they are moved inside."""
    spans = [slice(max(0, min(at - side // 2, length - side)), None) for at, length in zip(place, maps.shape[:2], strict=True)]
    return maps[spans[0], spans[1]][:side, :side]


def drawn_kernels(kernel: Float32[np.ndarray, "a b inputs filters"]) -> str:
    """Return which kernels are drawn, in words that follow others. It is empty if all are drawn."""
    counts = ((kernel.shape[3], MOST_FILTERS, "filters"), (kernel.shape[2], MOST_INPUTS, "inputs"))
    cut = ", ".join(f"{most} of {count} {what}" for count, most, what in counts if count > most)
    return f"; drawn: {cut}" if cut else ""


def _tile(values: Float32[np.ndarray, "a b"], limit: float, cell: int, *, whole: bool = False) -> UInt8[np.ndarray, "H W 3"]:
    if cell >= NUMBERED_CELL:
        return numbered_cells(np.ascontiguousarray(values), (-limit, limit), "signed", cell, whole=whole)
    levels = scale_all_channels(values[..., None], (-limit, limit))[..., 0]
    return colormaps.apply(levels, "signed").repeat(cell, axis=0).repeat(cell, axis=1)


def _padded(picture: UInt8[np.ndarray, "h w 3"], height: int, width: int) -> UInt8[np.ndarray, "H W 3"]:
    padding = ((0, height - picture.shape[0]), (0, width - picture.shape[1]), (0, 0))
    return np.pad(picture, padding, constant_values=text.PAPER[0])
