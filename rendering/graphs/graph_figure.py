"""Turn a graph whose boxes have their places into a figure, with a title and a legend of the colours if they are wanted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rendering.annotations import title_lines
from rendering.graphs.boxes import (
    DETAIL_LETTERS,
    DETAIL_ROW,
    FRAME,
    MARGIN,
    NAME_LETTERS,
    NAME_ROW,
    STUB_LETTERS,
    colour_of,
    printable,
    width_of,
)
from rendering.graphs.figure import Arrow, Mark, Rectangle, TextLine, VectorFigure
from rendering.graphs.layout import FRAME_MARGIN, TITLE_ROW
from rendering.graphs.placed import PlacedBox, PlacedGraph
from rendering.text import INK, Colour
from schemas.models import LayerKind

EDGE: Colour = (68, 68, 68)
STUB: Colour = (95, 95, 95)
BORDER: Colour = (150, 150, 150)
LIGHT: Colour = (255, 255, 255)
AROUND = 16  # pixels around the whole
TITLE_LETTERS, TITLE_HEIGHT, LEGEND_HEIGHT, SWATCH = 18, 30, 26, 12  # pixels
LEAST_WIDTH = 640  # pixels, of a picture with a title


def graph_figure(placed: PlacedGraph, title: Sequence[str] = (), legend: Sequence[LayerKind] = ()) -> VectorFigure:
    """Return the figure of a graph.

    Args:
        placed: The graph.
        title: The parts of the words above it, in as many lines as they need. Without a part, there is neither title nor legend.
        legend: The kinds of layers whose colours are explained below the title.
    """
    content = math.ceil(placed.width)
    width = max(content, LEAST_WIDTH) if title else content
    lines = title_lines([printable(part) for part in title], TITLE_LETTERS, width) if title else []
    header = _header(lines, legend, width) if title else ()
    above = TITLE_HEIGHT * len(lines) + LEGEND_HEIGHT * _rows(legend, width) + AROUND // 2 if title else 0
    return VectorFigure(
        width + 2 * AROUND,
        math.ceil(placed.height) + above + 2 * AROUND,
        (*header, *_shapes(placed.moved(AROUND + (width - content) / 2, AROUND + above))),
    )


def _shapes(placed: PlacedGraph) -> Iterator[Mark]:
    for frame in placed.frames:
        yield Rectangle(frame.left, frame.top, frame.width, frame.height, outline=FRAME)
    for arrow in placed.arrows:
        yield Arrow(arrow.points, arrow.tip, STUB if arrow.dashed else EDGE, arrow.dashed)
    for box in placed.boxes:
        yield from _box(box)
    for frame in placed.frames:  # on white, because an arrow may lead behind it
        left, top, width = frame.left + FRAME_MARGIN, frame.top + FRAME_MARGIN / 2, width_of(frame.title, DETAIL_LETTERS)
        yield Rectangle(left - 2, top + 2, width + 4, TITLE_ROW - 4, filling=LIGHT)
        yield TextLine(left, top + TITLE_ROW / 2, frame.title, DETAIL_LETTERS, FRAME)
    for stub in placed.stubs:
        yield TextLine(stub.left, stub.middle, stub.words, STUB_LETTERS, STUB)


def _box(placed: PlacedBox) -> Iterator[Mark]:
    box, left, top = placed.box, placed.left, placed.top
    yield Rectangle(left, top, box.width, box.height, filling=LIGHT, outline=BORDER)
    yield Rectangle(left, top, box.width, NAME_ROW, filling=box.colour)
    yield TextLine(left + MARGIN, top + NAME_ROW / 2, box.name, NAME_LETTERS, LIGHT, bold=True)
    yield TextLine(left + box.width - MARGIN - width_of(box.type, DETAIL_LETTERS), top + NAME_ROW / 2, box.type, DETAIL_LETTERS, LIGHT)
    for number, row in enumerate(box.details):
        yield TextLine(left + MARGIN, top + NAME_ROW + DETAIL_ROW * (number + 0.5), row, DETAIL_LETTERS, INK)


def _header(lines: Sequence[str], legend: Sequence[LayerKind], width: int) -> Iterator[Mark]:
    for number, line in enumerate(lines):
        yield TextLine(AROUND, AROUND + TITLE_HEIGHT * (number + 0.5), line, TITLE_LETTERS, INK)
    for kind, (x, row) in zip(legend, _legend_places(legend, width), strict=True):
        y = AROUND + TITLE_HEIGHT * len(lines) + LEGEND_HEIGHT * (row + 0.5)
        yield Rectangle(AROUND + x, y - SWATCH / 2, SWATCH, SWATCH, filling=colour_of(kind))
        yield TextLine(AROUND + x + SWATCH + MARGIN, y, kind.value, DETAIL_LETTERS, INK)


def _rows(legend: Sequence[LayerKind], width: int) -> int:
    return max((row + 1 for _, row in _legend_places(legend, width)), default=0)


def _legend_places(legend: Sequence[LayerKind], width: int) -> list[tuple[int, int]]:
    """Return for each entry of the legend the pixels from its left end, and its row."""
    places: list[tuple[int, int]] = []
    x, row = 0, 0
    for kind in legend:
        needed = SWATCH + MARGIN + width_of(kind.value, DETAIL_LETTERS)
        if x and x + needed > width:
            x, row = 0, row + 1
        places.append((x, row))
        x += needed + 2 * AROUND
    return places
