"""Draw a table of words and numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from rendering.charts.style import FAINT, FRAME, TRACK
from rendering.text import INK, PAPER, drawable, font, length, line_height, shortened

LETTERS, GAP, MARGIN, WIDEST = 13, 22, 20, 360  # pixels: height of a letter, between columns, around the table, and the widest cell
MARK = (207, 232, 213)


def table(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    notes: Sequence[str] = (),
    *,
    marked: Collection[tuple[int, int]] = (),
    left: Collection[int] = (0,),
    width: int = 0,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a table: a header, a line under it, and rows.

    Args:
        title: The words above.
        header: A name for each column. A "\\n" in it starts a second line.
        rows: The words of each row, as many as there are columns. Words that are too wide are shortened.
        notes: Lines below the table. One that is wider than the table makes the picture wider.
        marked: The cells (row, column) with a coloured ground.
        left: The columns whose words are aligned left. The others are aligned right.
        width: The picture has at least this width, in pixels.
    """
    face, small = font(LETTERS), font(LETTERS - 2)
    heads = [name.split("\n") for name in header]
    cells = [[shortened(words, face, WIDEST) for words in row] for row in rows]
    widths = [
        round(max([length(drawable(part), small) for part in heads[column]] + [length(row[column], face) for row in cells]))
        for column in range(len(header))
    ]
    edges = np.cumsum([MARGIN, *(each + GAP for each in widths)])
    needed = [int(edges[-1]) - GAP + MARGIN, *(round(length(drawable(each), small)) + 2 * MARGIN for each in notes)]
    needed.append(round(length(drawable(title), font(LETTERS + 2))) + 2 * MARGIN)
    step, top = line_height(LETTERS) + 4, 40
    head_height = max(len(each) for each in heads) * 15 + 8
    height = top + head_height + step * len(rows) + 12 + 18 * len(notes) + (8 if notes else 0)
    sheet = Image.new("RGB", (max(width, *needed), height), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, 12), drawable(title), fill=INK, font=font(LETTERS + 2), anchor="la")

    def write(words: str, column: int, middle: float, face: ImageFont.FreeTypeFont, fill: tuple[int, int, int]) -> None:
        x, anchor = (edges[column], "lm") if column in left else (edges[column] + widths[column], "rm")
        draw.text((int(x), middle), drawable(words), fill=fill, font=face, anchor=anchor)

    for column, parts in enumerate(heads):
        for number, part in enumerate(parts):
            write(part, column, top + 8 + 15 * number, small, FAINT)
    under = top + head_height - 4
    draw.line((MARGIN, under, int(edges[-1]) - GAP, under), fill=FRAME)
    for number, row in enumerate(cells):
        first = under + 2 + step * number
        if number % 2:
            draw.rectangle((MARGIN - 6, first, int(edges[-1]) - GAP + 6, first + step - 1), fill=TRACK)
        for column, words in enumerate(row):
            if (number, column) in marked:
                start = int(edges[column])
                draw.rectangle((start - 6, first, start + widths[column] + 6, first + step - 1), fill=MARK)
            write(words, column, first + step / 2, face, INK)
    for number, note in enumerate(notes):
        middle = under + 2 + step * len(rows) + 18 + 18 * number
        draw.text((MARGIN, middle), drawable(note), fill=FAINT, font=small, anchor="lm")
    return np.asarray(sheet)


def number_text(value: float | None) -> str:
    """Return a number with three digits that count, or "–" for None."""
    if value is None:
        return "–"
    return f"{value:#.3g}".rstrip(".").replace("-", "−")
